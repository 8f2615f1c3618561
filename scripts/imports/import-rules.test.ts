import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenImportRules, readImports } from './import-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = '{api,worker,shared,slow-server,image,testing,e2e,bench,scripts,charts}';

it('imports point down the data flow and form no cycles', () => {
  const files = globSync(`${FOLDERS}/**/*.ts`, {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  });
  expect(files.length).toBeGreaterThan(500);
  expect(brokenImportRules(readImports(ROOT, files))).toEqual([]);
});

describe('a broken rule is reported with both files', () => {
  it.each<[string, Record<string, string[]>]>([
    [
      'api/src/cache/a.ts imports api/src/routes/b.ts: cache is below routes in the data flow',
      { 'api/src/cache/a.ts': ['api/src/routes/b.ts'] },
    ],
    [
      'api/src/lookup/a.ts imports worker/src/permit/b.ts: api may import itself and shared',
      { 'api/src/lookup/a.ts': ['worker/src/permit/b.ts'] },
    ],
    [
      'shared/src/frames/a.ts imports api/src/cache/b.ts: shared may import itself',
      { 'shared/src/frames/a.ts': ['api/src/cache/b.ts'] },
    ],
    [
      'worker/src/main.ts imports testing/fleet/fleet.ts: the product must not import test support',
      { 'worker/src/main.ts': ['testing/fleet/fleet.ts'] },
    ],
    [
      'api/src/misc/a.ts: misc is not in LAYERS; add it at its place in the data flow',
      { 'api/src/misc/a.ts': ['api/src/cache/b.ts'] },
    ],
    [
      'bench/a.ts imports bench/b.ts imports bench/a.ts: a cycle',
      { 'bench/a.ts': ['bench/b.ts'], 'bench/b.ts': ['bench/a.ts'] },
    ],
  ])('%s', (sentence, imports) => {
    expect(brokenImportRules(new Map(Object.entries(imports)))).toEqual([sentence]);
  });

  it('lets tests import test helpers', () => {
    const imports = new Map([['api/src/cache/a.test.ts', ['testing/redis/test-redis.ts']]]);
    expect(brokenImportRules(imports)).toEqual([]);
  });
});
