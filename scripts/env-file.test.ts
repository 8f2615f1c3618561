import { expect, test } from 'vitest';
import { mergeEnv, readEnvWith } from './env-file.ts';

test('the environment wins over .env', () => {
  expect(mergeEnv('PORT=9000\nDELAY=1s', { PORT: '9100' })).toEqual({ PORT: '9100', DELAY: '1s' });
});

test('comments, quotes and blank lines are allowed', () => {
  const text = '# a comment\n\nALLOWED_SOURCES="https://a.example/*,https://b.example/*" # two\n';
  expect(mergeEnv(text, {})).toEqual({
    ALLOWED_SOURCES: 'https://a.example/*,https://b.example/*',
  });
});

test('a missing .env adds nothing', () => {
  expect(readEnvWith('/nowhere/.env', { PORT: '1' })).toEqual({ PORT: '1' });
});
