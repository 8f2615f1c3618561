import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { variables } from '@lastframe/shared/settings/variables';
import { expect, test } from 'vitest';

const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const settings = parseEnv(text.replaceAll(/^#(?=[A-Z_]+=)/gm, ''));

test.each(Object.entries(variables))('.env.example has %s with its default', (name, variable) => {
  // Variables without a value in the file have their default in its comment.
  expect(settings[name]).toBe(name === 'REDIS_URL' ? variable.fallback : (variable.fallback ?? ''));
});

test('.env.example sets nothing until it is edited', () => {
  expect(parseEnv(text)).toEqual({});
});
