import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { introduction } from './introduction.ts';
import { readSettings } from './settings.ts';

function introduced(env: Record<string, string>): string {
  return introduction(readSettings(env, 'linux'), env);
}

test('shows the wall, the curl of the README and how to stop', () => {
  const text = introduced({ PORT: '8090' });
  expect(text).toContain('http://localhost:8090/\n');
  expect(text).toContain(
    'curl -i "http://localhost:8090/images" -G --data-urlencode "url=http://localhost:8888/image"',
  );
  expect(text).toContain('Ctrl-C stops everything.');
  expect(text).not.toMatch(/Your/);
});

test("shows the user's named cameras by their own URLs", () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-up-'));
  const file = join(folder, 'own.yaml');
  const cameras = ['a', 'b', 'c', 'd'].map((name) => `  ${name}: { url: "http://cam.test/" }`);
  writeFileSync(file, `cameras:\n${cameras.join('\n')}\n`);
  const text = introduced({ SOURCES_FILE: file });
  expect(text).toContain(`Your cameras, from ${file}:\n  http://localhost:8088/cameras/a\n`);
  expect(text).toContain('… and 1 more');
  rmSync(folder, { recursive: true });
});

test("shows the user's own sources", () => {
  const text = introduced({ ALLOWED_SOURCES: 'http://cam.test/1.jpg, http://more.test/*' });
  expect(text).toContain('--data-urlencode "url=http://cam.test/1.jpg"');
  expect(text).toContain('Replace each *');
});

test('mentions the hold-off only with a Redis that it did not start', () => {
  expect(introduced({ REDIS_URL: 'redis://cam.test' })).toContain('503');
  expect(introduced({})).not.toContain('503');
});
