import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Glob } from './glob.ts';

/** `make fuzz` sets it to many more. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 2000);
const texts = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
const globs = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });

/** By the definition, and as slow as that is. */
function means(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob[0] !== '*') return glob[0] === text[0] && means(glob.slice(1), text.slice(1));
  return means(glob.slice(1), text) || (text !== '' && means(glob, text.slice(1)));
}

it('a glob matches what it means, and nothing else', () => {
  let matches = 0;
  fc.assert(
    fc.property(globs, texts, (glob, text) => {
      const verdict = new Glob(glob).matches(text);
      if (verdict) matches += 1;
      expect(verdict).toBe(means(glob, text));
    }),
    { numRuns },
  );
  expect(matches).toBeGreaterThan(numRuns / 50);
});
