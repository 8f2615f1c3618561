import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadEnvFile } from './env-file.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'lastframe-env-')), '.env');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(join(path, '..'), { recursive: true });
});

test('the environment wins over .env', () => {
  vi.stubEnv('PORT', '9100');
  vi.stubEnv('DELAY', undefined);
  writeFileSync(path, 'PORT=9000\nDELAY=1s');
  loadEnvFile(path);
  expect(process.env).toMatchObject({ PORT: '9100', DELAY: '1s' });
});

test('comments, quotes and blank lines are allowed', () => {
  vi.stubEnv('ALLOWED_SOURCES', undefined);
  writeFileSync(path, '# a\n\nALLOWED_SOURCES="https://a.example/*,https://b.example/*" # b\n');
  loadEnvFile(path);
  expect(process.env).toMatchObject({
    ALLOWED_SOURCES: 'https://a.example/*,https://b.example/*',
  });
});

test('a missing .env adds nothing', () => {
  const before = { ...process.env };
  loadEnvFile(path);
  expect(process.env).toEqual(before);
});
