import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Glob } from './glob.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 2000);
const texts = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
const globs = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });

/** Matches by the definition, however slowly. */
function slowMatch(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob[0] !== '*') return glob[0] === text[0] && slowMatch(glob.slice(1), text.slice(1));
  return slowMatch(glob.slice(1), text) || (text !== '' && slowMatch(glob, text.slice(1)));
}

it('a glob matches exactly the texts of its definition', () => {
  let matches = 0;
  fc.assert(
    fc.property(globs, texts, (glob, text) => {
      const verdict = new Glob(glob).matches(text);
      if (verdict) matches += 1;
      expect(verdict).toBe(slowMatch(glob, text));
    }),
    { numRuns },
  );
  expect(matches).toBeGreaterThan(numRuns / 50);
});
