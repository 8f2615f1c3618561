import { describe, expect, it } from 'vitest';
import { brokenPromises, type Evidence } from './broken-promises.ts';

const viewers = {
  hits: 1000,
  p50Ms: 1,
  p99Ms: 10,
  slowestMs: 50,
  oldestMs: 2000,
  events: 10,
  pictures: 10,
  failures: [],
};
const good: Evidence = {
  isStrict: true,
  quiet: viewers,
  attacked: viewers,
  observed: {
    apiMiB: 300,
    workerMiB: 300,
    redisMiB: 200,
    failedProbes: [],
    cpuS: { apis: 1, workers: 1, redis: 1 },
    longestQueue: 1,
    slowdown: 1,
  },
  quietSlowdown: 1,
  deaths: [],
  verdicts: {},
  hostileCalls: [],
};
const verdict = { calls: 2, cameras: 1, pairs: 1, smallestGapMs: 400, shareOfIntervals: 1 };
const call = { number: 1, url: '', startMs: 0, endMs: 0, status: null };

describe('brokenPromises', () => {
  it('returns nothing when every promise is kept', () => {
    expect(brokenPromises(good)).toEqual([]);
  });

  it.each<[string, Partial<Evidence>]>([
    ['no process ends: worker 1 ended', { deaths: ['worker 1 ended'] }],
    [
      'watched cameras stay fresh: the oldest picture was 3301.0 ms old; the limit is 3300.0',
      { attacked: { ...viewers, oldestMs: 3301 } },
    ],
    [
      'hits stay fast: their p99 was 31.0 ms; the limit is 30.0',
      { attacked: { ...viewers, p99Ms: 31 } },
    ],
    [
      'viewers are served: 2 failures, such as stream: status 503',
      { attacked: { ...viewers, failures: ['stream: status 503', 'stream: status 503'] } },
    ],
    [
      "an api's memory is bounded: it had 513.0 MiB; the limit is 512.0",
      { observed: { ...good.observed, apiMiB: 513 } },
    ],
    [
      "a worker's memory is bounded: it had 833.0 MiB; the limit is 832.0",
      { observed: { ...good.observed, workerMiB: 833 } },
    ],
    [
      'Redis stays below maxmemory: it had 257.0 MiB; the limit is 256.0',
      { observed: { ...good.observed, redisMiB: 257 } },
    ],
    [
      'probes are answered: 1 failed, such as pid 1: 503',
      { observed: { ...good.observed, failedProbes: ['pid 1: 503'] } },
    ],
    [
      'at most one call per interval (hostile cameras): too early',
      { verdicts: { hostile: { ...verdict, breaches: ['too early'] } } },
    ],
    [
      "a pattern's credentials stay below its path: /live/..;/admin was called",
      { hostileCalls: [{ ...call, name: '/live/..;/admin', hasCredentials: true }] },
    ],
  ])('reports: %s', (sentence, change) => {
    expect(brokenPromises({ ...good, ...change })).toEqual([sentence]);
  });

  it('allows for the CPU that attackers on the same machine take from hits', () => {
    const attacked = { ...viewers, p99Ms: 59 };
    const observed = { ...good.observed, slowdown: 3 };
    expect(brokenPromises({ ...good, attacked, observed, quietSlowdown: 1.5 })).toEqual([]);
    expect(brokenPromises({ ...good, attacked, observed, quietSlowdown: 2 })).toHaveLength(1);
    // A machine that got quieter does not lower the limit.
    const calm = { ...good, attacked: { ...viewers, p99Ms: 29 }, quietSlowdown: 2 };
    expect(brokenPromises(calm)).toEqual([]);
  });

  it('is more lenient on a machine shared with other tests than under `make attack`', () => {
    const attacked = { ...viewers, oldestMs: 11_000, p99Ms: 900 };
    const suite = { ...good, attacked, isStrict: false };
    expect(brokenPromises({ ...good, attacked })).toHaveLength(2);
    expect(brokenPromises(suite)).toEqual([]);
    const late = { ...suite, attacked: { ...attacked, oldestMs: 20_000 } };
    expect(brokenPromises(late)).toHaveLength(1);
    const starved = { ...late, observed: { ...good.observed, slowdown: 10 } };
    expect(brokenPromises(starved)).toEqual([]);
  });
});
