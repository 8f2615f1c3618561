import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutations, seeds } from './mutations.ts';
import { play, schedules } from './schedule.ts';

/** How many schedules; `make prove` plays a hundred thousand. */
const RUNS = Number(process.env.MODEL_RUNS ?? 2000);

describe('the guarantee on the model', () => {
  it(`holds in ${RUNS} schedules of faults`, { timeout: 600 * RUNS }, async () => {
    let calls = 0;
    const property = fc.asyncProperty(schedules, async (schedule) => {
      const played = await play(schedule);
      calls += played.calls;
      expect(played.breaches).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS });
    // A model in which nobody calls proves nothing.
    expect(calls).toBeGreaterThan(5 * RUNS);
  });

  it.each(Object.entries(mutations))(
    'is broken without %s, and the model notices',
    { timeout: 240_000 },
    async (name, mutation) => {
      const property = fc.asyncProperty(schedules, async (schedule) => {
        expect((await play(schedule, mutation)).breaches).toEqual([]);
      });
      const { failed } = await fc.check(property, {
        numRuns: 3000,
        endOnFailure: true,
        seed: seeds[name] ?? 1,
      });
      expect(failed).toBe(true);
    },
  );
});
