import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { chartFiles } from './files.ts';

const root = resolve(import.meta.dirname, '../..');

it.each([...chartFiles()].map(([path, text]) => [relative(root, path), path, text]))(
  '%s matches the variables and values.yaml; `npm run docs` writes it',
  (_, path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);
