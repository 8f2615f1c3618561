import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { variables } from '@lastframe/shared/settings/variables';
import { expect, test } from 'vitest';

const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const settings = parseEnv(text.replaceAll(/^#(?=[A-Z_]+=)/gm, ''));

test.each(Object.entries(variables))('.env.example has %s with its default', (name, variable) => {
  // Where the text has none, its comment tells what the default is.
  expect(settings[name]).toBe(name === 'REDIS_URL' ? variable.fallback : (variable.fallback ?? ''));
});

test('.env.example changes nothing as it is', () => {
  expect(parseEnv(text)).toEqual({});
});
