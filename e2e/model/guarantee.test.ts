import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutations } from './mutations.ts';
import { play, schedules } from './schedule.ts';

/** Number of schedules; `make prove` plays a hundred thousand. */
const RUNS = Number(process.env.MODEL_RUNS ?? 500);

describe('the guarantee in the model', () => {
  it(`holds in ${RUNS} fault schedules`, { timeout: 600 * RUNS }, async () => {
    let calls = 0;
    const property = fc.asyncProperty(schedules, async (schedule) => {
      const result = await play(schedule);
      calls += result.calls;
      expect(result.breaches).toEqual([]);
      expect(result.wronglyBlamed).toBe(0);
    });
    await fc.assert(property, { numRuns: RUNS });
    // A model without camera calls proves nothing.
    expect(calls).toBeGreaterThan(5 * RUNS);
  });

  it.each(Object.entries(mutations))(
    'breaks without %s, and the model detects it',
    { timeout: 240_000 },
    async (_, { seed, ...mutation }) => {
      const property = fc.asyncProperty(schedules, async (schedule) => {
        const { breaches, wronglyBlamed } = await play(schedule, mutation);
        expect(breaches).toEqual([]);
        expect(wronglyBlamed).toBe(0);
      });
      const { failed } = await fc.check(property, { numRuns: 3000, endOnFailure: true, seed });
      expect(failed).toBe(true);
    },
  );
});
