import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClockReading, type ClockWindow, observeClock, redisNowMs } from './redis-clock.ts';

const DAY_MS = 86_400_000;

/** A reading half-way through `roundTripMs`, of a Redis clock that is `offsetMs` ahead. */
function readingAt(monoMs: number, offsetMs: number, roundTripMs = 2): ClockReading {
  const redisMs = Math.floor(monoMs + roundTripMs / 2 + offsetMs);
  return { redisMs, sentMonoMs: monoMs, receivedMonoMs: monoMs + roundTripMs };
}

/** Feeds readings to a window; returns `undefined` if one of them is a step. */
function observe(readings: Iterable<ClockReading>): ClockWindow | undefined {
  let window: ClockWindow | undefined;
  for (const reading of readings) {
    const seen = observeClock(window, reading);
    if (seen.stepped) return undefined;
    window = seen.window;
  }
  return window;
}

describe('a window on the Redis clock', () => {
  it('is as wide as the first round trip, plus the millisecond that Redis truncates', () => {
    const window = observe([{ redisMs: 5000, sentMonoMs: 100, receivedMonoMs: 110 }]);
    expect(window).toEqual({ lowMs: 4890, highMs: 4901, atMonoMs: 110 });
  });

  it('is narrowed by a quicker reading', () => {
    const slow = { redisMs: 5000, sentMonoMs: 100, receivedMonoMs: 200 };
    const quick = { redisMs: 5101, sentMonoMs: 200, receivedMonoMs: 201 }; // 1 ms later: drift
    expect(observe([slow, quick])).toEqual({ lowMs: 4900, highMs: 4901.001, atMonoMs: 201 });
  });

  it('is widened by clock drift, but not by a slower reading', () => {
    const slow = { redisMs: 105_000, sentMonoMs: 100_000, receivedMonoMs: 100_400 };
    const window = observe([readingAt(0, 5000, 0), slow]);
    expect(window?.lowMs).toBeCloseTo(5000 - 100.4, 6);
    expect(window?.highMs).toBeCloseTo(5001, 6);
  });

  it('estimates the Redis time by its middle', () => {
    expect(redisNowMs({ lowMs: 1000, highMs: 1010, atMonoMs: 0 }, 500)).toBe(1505);
  });
});

describe('a step of the clock', () => {
  it.each([3_600_000, -3_600_000, 60, -60, 15, -15])('of %d ms is detected at once', (stepMs) => {
    const readings = [readingAt(0, 1e9), readingAt(1000, 1e9), readingAt(2000, 1e9 + stepMs)];
    const window = observe(readings.slice(0, 2)) as ClockWindow;
    expect(observeClock(window, readings[2] as ClockReading).stepped).toBe(true);
  });

  it.each([0.003, -0.003, 0.01, -0.01])('includes a clock that creeps at a rate of %d', (rate) => {
    const seconds = Array.from({ length: 60 }, (_, second) => second * 1000);
    expect(observe(seconds.map((ms) => readingAt(ms, ms * rate)))).toBeUndefined();
  });

  it.each([0.0005, -0.0005])('does not include a clock that drifts by %d all day', (rate) => {
    const minutes = Array.from({ length: 1440 }, (_, minute) => minute * 60_000);
    const last = observe(minutes.map((ms) => readingAt(ms, ms * rate)));
    const offsetMs = (DAY_MS - 60_000) * rate;
    expect(last?.lowMs).toBeLessThanOrEqual(offsetMs);
    expect(last?.highMs).toBeGreaterThanOrEqual(offsetMs);
  });
});

describe('honest readings of a clock that drifts within bounds', () => {
  const gaps = fc.record({
    afterMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
    drift: fc.double({ min: -0.00099, max: 0.00099, noNaN: true }),
    outMs: fc.double({ min: 0, max: 900, noNaN: true }),
    backMs: fc.double({ min: 0, max: 900, noNaN: true }),
  });
  type Gap = typeof gaps extends fc.Arbitrary<infer G> ? G : never;

  /** Redis's clock runs at its own rate; it is read somewhere between request and reply. */
  function* readings(offsetMs: number, all: readonly Gap[]) {
    let monoMs = 1000;
    let redisMs = monoMs + offsetMs;
    for (const { afterMs, drift, outMs, backMs } of all) {
      const sentMonoMs = monoMs + afterMs;
      const readMonoMs = sentMonoMs + outMs;
      redisMs += (readMonoMs - monoMs) * (1 + drift);
      yield {
        reading: {
          redisMs: Math.floor(redisMs),
          sentMonoMs,
          receivedMonoMs: readMonoMs + backMs,
        },
        redisMs,
        readMonoMs,
      };
      redisMs += backMs * (1 + drift);
      monoMs = readMonoMs + backMs;
    }
  }

  const offsets = fc.double({ min: -1e9, max: 2e12, noNaN: true });
  const runs = fc.array(gaps, { minLength: 1, maxLength: 60 });

  it('never count as a step', () => {
    fc.assert(
      fc.property(offsets, runs, (offsetMs, all) => {
        const honest = [...readings(offsetMs, all)].map(({ reading }) => reading);
        expect(observe(honest)).toBeDefined();
      }),
    );
  });

  it('keep the estimate within a round trip of the truth', () => {
    fc.assert(
      fc.property(offsets, runs, (offsetMs, all) => {
        let window: ClockWindow | undefined;
        for (const { reading, redisMs, readMonoMs } of readings(offsetMs, all)) {
          const seen = observeClock(window, reading);
          window = seen.stepped ? undefined : seen.window;
          const errorMs = window ? redisNowMs(window, readMonoMs) - redisMs : Number.NaN;
          expect(Math.abs(errorMs)).toBeLessThan(930);
        }
      }),
    );
  });
});
