import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { helm } from './helm.ts';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/package-chart');

it("a release's chart has the version and the image of its tag", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-chart-'));
  try {
    execFileSync(SCRIPT, ['v9.8.7-rc.1', 'ghcr.io/acme/lastframe', folder], { stdio: 'pipe' });
    const archive = join(folder, 'lastframe-9.8.7-rc.1.tgz');
    expect(parse(await helm('show', 'chart', archive))).toMatchObject({
      version: '9.8.7-rc.1',
      appVersion: '9.8.7-rc.1',
    });
    const objects = await helm('template', 'demo', archive);
    expect(objects).toContain('image: "ghcr.io/acme/lastframe:9.8.7-rc.1"');
    expect(objects).not.toContain('image: "lastframe');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
