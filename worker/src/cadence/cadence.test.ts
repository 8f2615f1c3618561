import { describe, expect, it } from 'vitest';
import { quantileOf } from '../../../testing/checks/quantile.ts';
import { cachingHintsOf } from '../camera-call/caching-hints.ts';
import {
  type CallHistory,
  HOUR_MS,
  MINUTE_MS,
  randomFrom,
  regularChanges,
  simulateCalls,
  type VirtualCamera,
  type VirtualResponse,
} from '../test-support/virtual-camera.ts';

const DATE = 'Tue, 22 Sep 2026 10:00:00 GMT';
const HOURS = 6;
const PHASES = 60;

/** Watches cameras that differ only in when their pictures change, for six hours each. */
function watchAll(
  everyMs: number,
  over: Partial<VirtualCamera> & { jitterMs?: number } = {},
): CallHistory[] {
  const { jitterMs = 0, ...camera } = over;
  const random = randomFrom(7);
  return Array.from({ length: PHASES }, (_, phase) => {
    const firstMs = (phase / PHASES) * everyMs;
    const changesMs = regularChanges(everyMs, { firstMs, jitterMs, random });
    return simulateCalls({ changesMs, ...camera }, HOURS);
  });
}

const hourOf = (ms: number) => Math.floor(ms / HOUR_MS);

/** Returns the calls of each camera in one hour. */
function callsIn(hour: number, all: readonly CallHistory[]): number[] {
  return all.map(({ callsMs }) => callsMs.filter((ms) => hourOf(ms) === hour).length);
}

/** Returns the most calls of any camera in any hour from the given one on. */
function mostCalls(all: readonly CallHistory[], fromHour: number): number {
  const hours = Array.from({ length: HOURS - fromHour }, (_, n) => fromHour + n);
  return Math.max(...hours.flatMap((hour) => callsIn(hour, all)));
}

const average = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns how late 95 % of the changes were seen, from the given hour on. */
function latenessMs(all: readonly CallHistory[], fromHour: number): number {
  const seen = all.flatMap(({ seen: changes }) => changes);
  const late = seen.filter(({ changedAtMs }) => hourOf(changedAtMs) >= fromHour);
  return quantileOf(
    late.map(({ lateMs }) => lateMs),
    0.95,
  );
}

const TEN_MINUTES_MS = 10 * MINUTE_MS;
const toSecond = (ms: number) => Math.floor(ms / 1000) * 1000;

describe('a camera with a new picture every ten minutes', () => {
  it.each([
    ['that responds at once', { callMs: 100 }],
    ['that takes five seconds to respond', { callMs: 5000 }],
    [
      'that writes the time of its response as Last-Modified',
      { hints: () => ({ changedAgoMs: 0 }) },
    ],
    ['that always sends the same max-age', { hints: () => ({ expiresInMs: TEN_MINUTES_MS }) }],
  ])(
    '%s is called at most 25 times an hour, and 95%% of its pictures are seen within 30 s',
    (_, camera) => {
      const all = watchAll(TEN_MINUTES_MS, camera);
      expect(average(callsIn(0, all))).toBeLessThanOrEqual(25);
      expect(mostCalls(all, 1)).toBeLessThanOrEqual(25);
      expect(latenessMs(all, 1)).toBeLessThanOrEqual(30_000);
    },
  );

  it.each([
    ['that changes up to 10 s early or late', 10_000, 30_000],
    ['that changes up to 30 s early or late', 30_000, 35_000],
  ])(
    '%s is called at most 27 times an hour once its rhythm is known',
    (_, jitterMs, mostLateMs) => {
      const all = watchAll(TEN_MINUTES_MS, { jitterMs });
      expect(average(callsIn(0, all))).toBeLessThanOrEqual(25);
      expect(mostCalls(all, 1)).toBeLessThanOrEqual(27);
      expect(latenessMs(all, 2)).toBeLessThanOrEqual(mostLateMs);
    },
  );

  it('is known from its third picture if it dates them', () => {
    const changedAgoMs = ({ atMs, changedAtMs }: { atMs: number; changedAtMs: number }) =>
      toSecond(atMs) - toSecond(changedAtMs);
    const all = watchAll(TEN_MINUTES_MS, { hints: (at) => ({ changedAgoMs: changedAgoMs(at) }) });
    expect(mostCalls(all, 0)).toBeLessThanOrEqual(22);
    expect(mostCalls(all, 1)).toBeLessThanOrEqual(12);
    expect(latenessMs(all, 1)).toBeLessThanOrEqual(10_000);
  });

  it('is called twice per picture if it says when the next one comes', () => {
    const hints: VirtualCamera['hints'] = ({ atMs, nextChangeAtMs }) => ({
      expiresInMs: toSecond(nextChangeAtMs - atMs),
    });
    const all = watchAll(TEN_MINUTES_MS, { hints });
    expect(mostCalls(all, 0)).toBeLessThanOrEqual(18);
    expect(latenessMs(all, 0)).toBeLessThanOrEqual(2000);
  });

  it('is found again after a pause of hours, and its pause costs few calls', () => {
    const changesMs = regularChanges(TEN_MINUTES_MS).filter(
      (ms) => ms < 2 * HOUR_MS || ms > 4 * HOUR_MS,
    );
    const watched = [simulateCalls({ changesMs }, HOURS)];
    expect(callsIn(3, watched)[0]).toBeLessThanOrEqual(8);
    expect(callsIn(4, watched)[0]).toBeLessThanOrEqual(30);
    expect(latenessMs(watched, 5)).toBeLessThanOrEqual(30_000);
  });

  it.each([25 * MINUTE_MS, HOUR_MS])(
    'is still known after nobody has watched it for %d ms',
    (awayMs) => {
      const fromMs = 3 * HOUR_MS;
      const isWatched = (ms: number) => ms < fromMs || ms > fromMs + awayMs;
      const all = watchAll(TEN_MINUTES_MS, { isWatched });
      const backHour = hourOf(fromMs + awayMs) + 1;
      expect(mostCalls(all, backHour)).toBeLessThanOrEqual(25);
      expect(latenessMs(all, backHour)).toBeLessThanOrEqual(30_000);
    },
  );

  it('that begins to change every five seconds is called every interval within minutes', () => {
    const rarely = regularChanges(TEN_MINUTES_MS).filter((ms) => ms < 3 * HOUR_MS);
    const often = regularChanges(5000, { firstMs: 3 * HOUR_MS }).filter((ms) => ms >= 3 * HOUR_MS);
    const watched = [simulateCalls({ changesMs: [...rarely, ...often] }, HOURS)];
    const fromMs = 3 * HOUR_MS + 20 * MINUTE_MS;
    const calls = watched.flatMap(({ callsMs }) => callsMs).filter((ms) => ms >= fromMs);
    expect(calls.length).toBeGreaterThan(0.85 * ((HOURS * HOUR_MS - fromMs) / 5000));
  });
});

/** What a camera gets that is called every interval. */
function everyInterval(callMs: number): number {
  const fixed = { changesMs: regularChanges(1000), callMs, maxIntervalMs: 5000 };
  return average(callsIn(1, [simulateCalls(fixed, HOURS)]));
}

describe('a camera with a new picture', () => {
  it.each([
    ['every second', 1000, 0],
    ['every four seconds', 4000, 0],
    ['about every five seconds', 5000, 1000],
    ['every five seconds', 5000, 0],
    ['every seven seconds', 7000, 0],
  ])('%s is called as if nothing were followed', (_, everyMs, jitterMs) => {
    for (const callMs of [100, 2000]) {
      const all = watchAll(everyMs, { jitterMs, callMs });
      expect(Math.min(...callsIn(1, all))).toBeGreaterThan(0.99 * everyInterval(callMs));
      expect(latenessMs(all, 0)).toBeLessThan(2 * 5000 + callMs);
    }
  });

  it.each([
    ['minute', MINUTE_MS, 145, 6000],
    ['five minutes', 5 * MINUTE_MS, 32, 15_000],
    ['quarter of an hour', 15 * MINUTE_MS, 20, 30_000],
  ])('every %s costs few calls and is seen soon', (_, everyMs, calls, lateMs) => {
    const all = watchAll(everyMs);
    expect(mostCalls(all, 2)).toBeLessThanOrEqual(calls);
    expect(latenessMs(all, 3)).toBeLessThanOrEqual(lateMs);
  });

  it('at random is called several times per picture', () => {
    const random = randomFrom(3);
    const changesMs = [0];
    while ((changesMs.at(-1) ?? 0) < 8 * HOUR_MS) {
      changesMs.push((changesMs.at(-1) ?? 0) - Math.log(1 - random()) * MINUTE_MS);
    }
    const watched = [simulateCalls({ changesMs }, HOURS)];
    expect(callsIn(3, watched)[0]).toBeGreaterThan(120);
    expect(latenessMs(watched, 1)).toBeLessThan(2 * MINUTE_MS);
  });
});

describe('a max-age that is always the same', () => {
  it.each([10_000, 30_000])('of up to half a minute defers calls: %d ms', (expiresInMs) => {
    const all = watchAll(5000, { hints: () => ({ expiresInMs }) });
    const [least, most] = [HOUR_MS / (expiresInMs + 1000), HOUR_MS / expiresInMs];
    for (const calls of callsIn(2, all)) {
      expect(calls).toBeGreaterThanOrEqual(Math.floor(least));
      expect(calls).toBeLessThanOrEqual(most);
    }
  });
});

it('a max-age that a new picture proves wrong is ignored from then on', () => {
  const all = watchAll(5000, { hints: () => ({ expiresInMs: HOUR_MS }) });
  expect(Math.min(...callsIn(0, all))).toBeGreaterThan(0.98 * everyInterval(300));
});

it.each([
  ['a constant one', () => 100 * HOUR_MS],
  ['one that is four minutes early', ({ atMs, changedAtMs }) => atMs - changedAtMs + 4 * MINUTE_MS],
  ['none at all', () => undefined],
] as [string, (response: VirtualResponse) => number | undefined][])(
  'Last-Modified changes little if it is wrong: %s',
  (_, changedAgoMs) => {
    const hints = (response: VirtualResponse) => ({ changedAgoMs: changedAgoMs(response) });
    const often = watchAll(5000, { hints });
    expect(Math.min(...callsIn(0, often))).toBeGreaterThan(0.99 * everyInterval(300));
    const rarely = watchAll(TEN_MINUTES_MS, { hints });
    expect(mostCalls(rarely, 2)).toBeLessThanOrEqual(17);
    expect(latenessMs(rarely, 2)).toBeLessThanOrEqual(30_000);
  },
);

it.each([
  ['of a copy that is fetched anew each time', { isCopy: true, expiresInMs: 599_000 }],
  ['in the year 9999', cachingHintsOf({ date: DATE, expires: 'Fri, 31 Dec 9999 23:59:59 GMT' })],
])('an expiry time %s does not keep new pictures away', (_, hint) => {
  const all = watchAll(5000, { hints: () => hint });
  expect(Math.min(...callsIn(0, all))).toBeGreaterThan(0.98 * everyInterval(300));
});

it('a copy in a cache in front of the camera is not asked for again before it expires', () => {
  const changesMs = regularChanges(TEN_MINUTES_MS);
  const lifeMs = 2 * MINUTE_MS;
  // The cache fetches the picture every two minutes, whether it has changed or not.
  const hints: VirtualCamera['hints'] = ({ atMs }) => ({
    isCopy: atMs % lifeMs >= 1000,
    expiresInMs: lifeMs - (atMs % lifeMs),
  });
  const copied = changesMs.map((ms) => Math.ceil(ms / lifeMs) * lifeMs);
  const { callsMs, seen } = simulateCalls({ changesMs: copied, hints }, HOURS);
  const last = callsMs.filter((ms) => hourOf(ms) === 4);
  expect(last.length).toBeLessThanOrEqual(30);
  expect(latenessMs([{ callsMs, seen }], 2)).toBeLessThanOrEqual(30_000);
});

it('whatever it says, a camera is not deferred for longer than it is known', () => {
  const hints = () => ({ expiresInMs: 10 * HOUR_MS });
  const { callsMs } = simulateCalls({ changesMs: [-1], maxIntervalMs: HOUR_MS, hints }, HOURS);
  const gapsMs = callsMs.slice(1).map((ms, index) => ms - (callsMs[index] ?? 0));
  expect(gapsMs[0]).toBeLessThan(31_000);
  for (const [index, gapMs] of gapsMs.entries()) {
    expect(gapMs).toBeLessThan(Math.max(31_000, (callsMs[index] ?? 0) + 1000));
  }
  expect(gapsMs.at(-1)).toBeGreaterThan(HOUR_MS - 1000);
});

it('no gap is shorter than the interval or longer than the longest one', () => {
  const gapsMs = [4000, MINUTE_MS, TEN_MINUTES_MS, HOUR_MS]
    .flatMap((everyMs) => watchAll(everyMs, { intervalMs: 7000, maxIntervalMs: 5 * MINUTE_MS }))
    .flatMap(({ callsMs }) => callsMs.slice(1).map((ms, index) => ms - (callsMs[index] ?? 0)));
  expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(7000);
  expect(Math.max(...gapsMs)).toBeLessThanOrEqual(5 * MINUTE_MS + 1000);
});
