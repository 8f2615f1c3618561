import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { generatedFiles, ROOT } from './generated-files.ts';

it.each([...generatedFiles()])(
  '%s matches variables, metrics and values.yaml; `npm run docs` writes it',
  (path, text) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
  },
);
