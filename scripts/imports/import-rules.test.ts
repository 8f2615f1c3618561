import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenImportRules, readImports } from './import-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = '{api,worker,shared,slow-server,image,testing,e2e,bench,scripts,charts}';

it('imports point down the data flow; Biome finds cycles', () => {
  const files = globSync(`${FOLDERS}/**/*.ts`, {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  });
  expect(files.length).toBeGreaterThan(500);
  const imports = readImports(ROOT, files);
  expect(imports.length).toBeGreaterThan(1500);
  expect(brokenImportRules(imports)).toEqual([]);
});

describe('a broken rule is reported with both files', () => {
  it.each([
    [
      'api/src/cache/a.ts imports api/src/routes/b.ts: cache is below routes in the data flow',
      { from: 'api/src/cache/a.ts', to: 'api/src/routes/b.ts' },
    ],
    [
      'worker/src/camera-call/tls/a.ts imports worker/src/camera-call/connect/b.ts: tls is below connect in the data flow',
      { from: 'worker/src/camera-call/tls/a.ts', to: 'worker/src/camera-call/connect/b.ts' },
    ],
    [
      'api/src/lookup/a.ts imports worker/src/permit/b.ts: api may import itself and shared',
      { from: 'api/src/lookup/a.ts', to: 'worker/src/permit/b.ts' },
    ],
    [
      'shared/src/frames/a.ts imports api/src/cache/b.ts: shared may import itself',
      { from: 'shared/src/frames/a.ts', to: 'api/src/cache/b.ts' },
    ],
    [
      'worker/src/main.ts imports testing/fleet/fleet.ts: the product must not import test support',
      { from: 'worker/src/main.ts', to: 'testing/fleet/fleet.ts' },
    ],
    [
      'api/src/misc/a.ts: misc is not in LAYERS; add it at its place in the data flow',
      { from: 'api/src/misc/a.ts', to: 'api/src/cache/b.ts' },
    ],
  ])('%s', (sentence, broken) => {
    expect(brokenImportRules([broken])).toEqual([sentence]);
  });

  it('lets tests import test helpers', () => {
    const from = 'api/src/cache/a.test.ts';
    expect(brokenImportRules([{ from, to: 'testing/redis/test-redis.ts' }])).toEqual([]);
  });
});
