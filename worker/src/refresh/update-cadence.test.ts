import type { CadenceDecision } from '@lastframe/shared/frames/frame-store';
import { etagOf } from '@lastframe/shared/http/etag';
import { describe, expect, it } from 'vitest';
import { captured, refreshBench } from '../test-support/refresh-bench.ts';
import { refresh } from './refresh.ts';

describe('a camera with a variable interval', () => {
  const limits = { intervalMs: 5000, maxIntervalMs: 600_000 };
  const known = { etag: '"ours"', validators: { etag: '"theirs"' } };

  /** Runs a job some time after the last; returns what was stored with the frame. */
  const storedAfter = async ({ deps, job, control, told }: ReturnType<typeof refreshBench>) => {
    await refresh({ ...job, askedAtMs: control.redisNowMs ?? job.askedAtMs }, deps);
    const stored = told.findLast(({ what }) => what === 'frame' || what === 'renewed');
    const frame = (stored?.frame ?? stored?.times) as { cadence?: CadenceDecision } | undefined;
    const decision = frame?.cadence;
    control.cadence = decision?.learned ?? control.cadence;
    return decision;
  };

  it('is due later, the longer its picture stays the same', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = captured;
    const freshForMs: number[] = [];
    for (let call = 0; call < 12; call += 1) {
      const { freshForMs: ms = 0 } = (await storedAfter(bench)) ?? {};
      freshForMs.push(ms);
      bench.control.redisNowMs = (bench.control.redisNowMs ?? 0) + ms;
    }
    expect(freshForMs.slice(0, 2)).toEqual([5000, 5000]);
    expect(freshForMs).toEqual(freshForMs.toSorted((a, b) => a - b));
    expect(freshForMs.at(-1)).toBe(600_000);
  });

  it('is due after an interval again when its picture has changed', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = captured;
    for (const afterMs of [0, 5000]) {
      bench.control.redisNowMs = 1_000_000 + afterMs;
      await storedAfter(bench);
    }
    bench.control.capture = { ...captured, bytes: Buffer.from('another') };
    bench.control.redisNowMs = 1_010_000;
    expect(await storedAfter(bench)).toMatchObject({ freshForMs: 5000 });
  });

  it('is due when it says so, also where it only confirms its picture', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = { ...captured, hints: { isCopy: false, expiresInMs: 90_000 } };
    expect(await storedAfter(bench)).toMatchObject({ freshForMs: 30_000 });
    bench.control.known = { ...known, etag: etagOf(captured.bytes) };
    const confirmed = async (expiresInMs: number) => {
      bench.control.capture = { outcome: 'unchanged', hints: { isCopy: false, expiresInMs } };
      bench.control.redisNowMs = 1_090_000 - expiresInMs;
      return await storedAfter(bench);
    };
    // No longer than the camera is known.
    expect(await confirmed(60_000)).toMatchObject({ freshForMs: 30_000 });
    // From the start of the call, which takes a second; and a second later than it says.
    expect(await confirmed(30_000)).toMatchObject({ freshForMs: 32_000 });
  });

  it('keeps its place until then', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = { ...captured, hints: { isCopy: false, expiresInMs: 90_000 } };
    await storedAfter(bench);
    expect(bench.told).toContainEqual({ what: 'keep place', untilNextMs: 30_000 });
  });

  it('is due after an interval while the time is unknown', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = captured;
    bench.control.redisNowMs = undefined;
    expect(await storedAfter(bench)).toEqual({ freshForMs: 5000, learned: '' });
  });

  it('is due as if called for the first time while Redis is too slow, which forgets nothing', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = captured;
    await storedAfter(bench);
    bench.deps.results.readCadence = async () => undefined;
    expect(await storedAfter(bench)).toEqual({ freshForMs: 5000, learned: '' });
  });

  it('starts anew if what is stored of it cannot be read', async () => {
    const bench = refreshBench(limits);
    bench.control.capture = captured;
    bench.control.cadence = '{"etag":7}';
    expect(await storedAfter(bench)).toMatchObject({ freshForMs: 5000 });
  });
});

it('no cadence is read or stored for a camera with one interval', async () => {
  const { deps, job, told } = refreshBench();
  deps.results.readCadence = () => Promise.reject(new Error('must not be read'));
  expect((await refresh(job, deps)).kind).toBe('captured');
  expect(told.find(({ what }) => what === 'frame')?.frame).toMatchObject({ cadence: undefined });
});
