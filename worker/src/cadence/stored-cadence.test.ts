import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Cadence, EXPIRIES, observe } from './cadence.ts';
import { nextCallMs } from './next-call.ts';
import { decodeCadence, encodeCadence } from './stored-cadence.ts';

const nowMs = 1_800_000_000_000;
const limits = { intervalMs: 5000, maxIntervalMs: 600_000 };

it('is decoded as it was encoded, in whole milliseconds', () => {
  const cadence: Cadence = {
    firstCallMs: nowMs - 100_000,
    etag: '"a"',
    sinceMs: nowMs - 60_000.4,
    seenMs: nowMs,
    changes: [{ number: 3, afterMs: nowMs - 70_000, byMs: nowMs - 60_000 }],
    nextNumber: 4,
    paceMs: 1000.5,
    mayHaveMissedChanges: true,
    hasWrongDates: true,
    expiresMs: nowMs + 1000,
    expiry: 'proven',
  };
  expect(decodeCadence(encodeCadence(cadence))).toEqual({
    ...cadence,
    sinceMs: nowMs - 60_000,
    paceMs: 1001,
  });
});

it.each(['', '{}', '[]', 'x', '{"etag":"a","sinceMs":-1}'])('is not decoded from %j', (text) => {
  expect(decodeCadence(text)).toBeUndefined();
});

const time = fc.integer({ min: 0, max: 2 * nowMs });
const anyCadence: fc.Arbitrary<Cadence> = fc.record({
  firstCallMs: time,
  etag: fc.constantFrom('"a"', '"b"'),
  sinceMs: time,
  seenMs: time,
  changes: fc.array(fc.record({ number: fc.nat(100), afterMs: time, byMs: time }), {
    maxLength: 6,
  }),
  nextNumber: fc.nat(100),
  paceMs: time,
  mayHaveMissedChanges: fc.boolean(),
  hasWrongDates: fc.boolean(),
  expiresMs: fc.option(time, { nil: undefined }),
  expiry: fc.constantFrom(...EXPIRIES),
});

it('whatever is stored, the next call is between the two intervals after the last', () => {
  const hints = fc.record({
    isCopy: fc.boolean(),
    expiresInMs: fc.option(fc.nat(2 ** 41), { nil: undefined }),
    changedAgoMs: fc.option(fc.nat(2 ** 41), { nil: undefined }),
  });
  const etag = fc.constantFrom('"a"', '"b"');
  fc.assert(
    fc.property(anyCadence, hints, etag, fc.nat(60_000), (stored, said, seen, callMs) => {
      const read = decodeCadence(encodeCadence(stored));
      const times = { sentAtMs: nowMs - callMs, receivedAtMs: nowMs };
      const cadence = observe(read, { etag: seen, ...times, hints: said });
      const gapMs = nextCallMs(cadence, times.sentAtMs, limits) - times.sentAtMs;
      expect(gapMs).toBeGreaterThanOrEqual(limits.intervalMs);
      expect(gapMs).toBeLessThanOrEqual(limits.maxIntervalMs);
      expect(decodeCadence(encodeCadence(cadence))).toBeDefined();
    }),
    { numRuns: 2000 },
  );
});
