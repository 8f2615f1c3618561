import { setImmediate as nextLoopTurn } from 'node:timers/promises';
import { permitLifeMs, spacingMs } from '@lastframe/shared/cameras/spacing';
import { describe, expect, inject, it } from 'vitest';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench } from '../test-support/permit-bench.ts';
import { expectDenied, expectGranted, wordOf } from '../test-support/permit-word.ts';
import type { Permit } from './permits.ts';

const url = inject('redisUrl');

/** Cameras denied in the same millisecond have waited equally long. */
async function nextMillisecond() {
  const nowMs = Date.now();
  while (Date.now() <= nowMs) await nextLoopTurn();
}

describe('spacing and overlap', () => {
  it('grants a camera once, and another camera at the same time', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    expectGranted(await permits.take(camera));
    expect(wordOf(await permits.take(camera))).toBe('busy');
    expectGranted(await permits.take(testCamera()));
  });

  it('S7: lets an unfinished permit live its whole life, and then end', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    expectGranted(await permits.take(camera));
    const { waitMs } = expectDenied(await permits.take(camera));
    const lifeMs = permitLifeMs(camera.source);
    expect(waitMs).toBeGreaterThan(lifeMs - 5000);
    expect(waitMs).toBeLessThanOrEqual(lifeMs + 1);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeGreaterThan(0);
  });

  it('S6: spaces a finished permit for the rest of the interval, and not longer', async () => {
    const { permits } = await openBench(url);
    // Short enough to see its end, long enough for a busy machine.
    const camera = testCamera(undefined, testSource({ intervalMs: 2000 }));
    const permit = expectGranted(await permits.take(camera));
    const finishedMs = performance.now();
    await permits.finish(permit, { verdict: 'ok', restMs: spacingMs(camera.source) });
    const { reason, waitMs } = expectDenied(await permits.take(camera));
    expect(reason).toBe('spaced');
    expect(waitMs).toBeLessThanOrEqual(Math.ceil(spacingMs(camera.source)) + 1);
    await expect
      .poll(async () => wordOf(await permits.take(camera)), { interval: 20, timeout: 10_000 })
      .toBe('granted');
    expect(performance.now() - finishedMs).toBeGreaterThanOrEqual(spacingMs(camera.source));
  });

  it('grants exactly one of many concurrent requests', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    const words = (await Promise.all(Array.from({ length: 200 }, () => permits.take(camera)))).map(
      wordOf,
    );
    expect(words.filter((word) => word === 'granted')).toHaveLength(1);
    expect(words.filter((word) => word === 'busy')).toHaveLength(199);
  });

  it('releases a permit on which nothing was sent', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    const permit = expectGranted(await permits.take(camera));
    expect(await permits.finish(permit, { verdict: 'none', restMs: 0 })).toBe(0);
    expectGranted(await permits.take(camera));
  });

  it("S5: a late finish does not change another's permit", async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const first = expectGranted(await permits.take(camera));
    await client.del(keys.permit(camera.cameraId));
    const second = expectGranted(await permits.take(camera));
    expect(second.token).not.toBe(first.token);
    for (const restMs of [0, 1]) {
      expect(await permits.finish(first, { verdict: 'ok', restMs })).toBe(0);
    }
    expect(wordOf(await permits.take(camera))).toBe('busy');
    await permits.finish(first, { verdict: 'fail', restMs: 0, minBackoffMs: 5000 });
    await permits.finish(second, { verdict: 'none', restMs: 0 });
    expect(wordOf(await permits.take(camera))).toBe('granted');
  });

  it('S12: scripts use only keys of their prefix, even with a hash tag', async () => {
    const prefix = '{test-tag}';
    const { permits, client } = await openBench(url, { prefix });
    const source = testSource({ budget: { perSecond: 5, concurrency: 5 } });
    const camera = testCamera(undefined, source);
    const permit = expectGranted(await permits.take(camera));
    await permits.finish(permit, { verdict: 'fail', restMs: 60_000, minBackoffMs: 60_000 });
    await permits.take(testCamera(undefined, source));
    const found = await client.keys(`${prefix}:*`);
    expect(found.length).toBeGreaterThanOrEqual(5);
    await client.del(found);
  });
});

describe('back-off', () => {
  const fail = { verdict: 'fail', restMs: 1 } as const;

  it('doubles from the second failure on, up to a minute, and a success ends it', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const failOnce = async () => {
      await client.del([keys.permit(camera.cameraId), keys.backoff(camera.cameraId)]);
      return await permits.finish(expectGranted(await permits.take(camera)), fail);
    };
    const waits = [];
    for (let n = 0; n < 7; n += 1) waits.push(await failOnce());
    expect(waits).toEqual([1, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    await expect.poll(() => client.exists(keys.permit(camera.cameraId))).toBe(0);
    expect(expectDenied(await permits.take(camera))).toMatchObject({ reason: 'backoff' });
    await client.del(keys.backoff(camera.cameraId));
    await permits.finish(expectGranted(await permits.take(camera)), { verdict: 'ok', restMs: 0 });
    expect(await failOnce()).toBe(1);
  });

  it('counts a failure once, even if its finish is retried after a late reply', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const end = { verdict: 'fail', restMs: 60_000 } as const;
    const first = expectGranted(await permits.take(camera));
    await permits.finish(first, end);
    await permits.finish(first, end);
    await permits.finish(first, end);
    expect(await client.get(keys.failures(camera.cameraId))).toBe('1');
    expect(await client.exists(keys.backoff(camera.cameraId))).toBe(0);
    await client.del(keys.permit(camera.cameraId));
    const second = expectGranted(await permits.take(camera));
    expect(await permits.finish(second, { ...end, restMs: 1 })).toBe(10_000);
  });

  it('S14: is at least what the finish demands, from the first failure on', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const permit = expectGranted(await permits.take(camera));
    expect(await permits.finish(permit, { ...fail, minBackoffMs: 15_000 })).toBe(15_000);
    await expect.poll(() => client.exists(keys.permit(camera.cameraId))).toBe(0);
    const { reason, waitMs } = expectDenied(await permits.take(camera));
    expect(reason).toBe('backoff');
    expect(waitMs).toBeGreaterThan(10_000);
  });

  it('L10: lasts an hour if a camera demands it, in a key of its own', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const permit = expectGranted(await permits.take(camera));
    await permits.finish(permit, { ...fail, minBackoffMs: 3_600_000 });
    expect(await client.pTTL(keys.backoff(camera.cameraId))).toBeGreaterThan(3_590_000);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeLessThanOrEqual(1);
  });

  it('does not begin after a call that says nothing about the camera', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    for (let n = 0; n < 3; n += 1) {
      await permits.finish(expectGranted(await permits.take(camera)), {
        verdict: 'none',
        restMs: 0,
      });
    }
    expect(
      await client.exists([keys.backoff(camera.cameraId), keys.failures(camera.cameraId)]),
    ).toBe(0);
  });

  it('S13: fractions of milliseconds do not abort a script halfway', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ intervalMs: 3333, startAllowanceMs: 4000.25 });
    const camera = testCamera(undefined, source);
    for (let n = 0; n < 3; n += 1) {
      await client.del([keys.permit(camera.cameraId), keys.backoff(camera.cameraId)]);
      const permit = expectGranted(await permits.take(camera));
      const end = { verdict: 'fail', restMs: 100.7, minBackoffMs: 0.3 } as const;
      expect(await permits.finish(permit, end)).toBeGreaterThan(100);
      expect(await client.pTTL(keys.permit(camera.cameraId))).toBeLessThanOrEqual(101);
    }
    expect(await client.pTTL(keys.backoff(camera.cameraId))).toBeGreaterThan(0);
  });
});

describe('B: no permit outlives its life', () => {
  it('S13: a permit without a TTL gets one', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    await client.set(keys.permit(camera.cameraId), 'lost-token 3000');
    expect(expectDenied(await permits.take(camera))).toMatchObject({
      reason: 'spaced',
      waitMs: 3001,
    });
    const leftMs = await client.pTTL(keys.permit(camera.cameraId));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(3000);
    await expect
      .poll(async () => wordOf(await permits.take(camera)), { timeout: 10_000 })
      .toBe('granted');
  });

  it('L4: a permit with a TTL beyond its life, as after a clock set back, is clipped', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const expiration = { type: 'PX', value: 3_600_597 } as const;
    await client.set(keys.permit(camera.cameraId), 'token 700', { expiration });
    expect(expectDenied(await permits.take(camera)).waitMs).toBe(701);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeLessThanOrEqual(700);
  });

  it('L4: both are clipped during a hold-off, so that it does not double them', async () => {
    const { permits, client, keys } = await openBench(url, { adopt: false });
    const { cameraId, ...rest } = testCamera();
    const expiration = { type: 'PX', value: 3_600_000 } as const;
    await client.set(keys.permit(cameraId), 'token 700', { expiration });
    await client.set(keys.backoff(cameraId), '600', { expiration });
    expect(wordOf(await permits.take({ cameraId, ...rest }))).toBe('hold');
    expect(await client.pTTL(keys.permit(cameraId))).toBeLessThanOrEqual(700);
    expect(await client.pTTL(keys.backoff(cameraId))).toBeLessThanOrEqual(600);
  });

  it('L4: a back-off without a TTL gets one', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    await client.set(keys.backoff(camera.cameraId), '60000');
    expect(expectDenied(await permits.take(camera))).toMatchObject({
      reason: 'backoff',
      waitMs: 60_001,
    });
    expect(await client.pTTL(keys.backoff(camera.cameraId))).toBeGreaterThan(0);
  });
});

describe('the budget of a source', () => {
  it('L11: bounds the calls in flight, and does not count calls that ended', async () => {
    const { permits } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 2 } });
    const first = expectGranted(await permits.take(testCamera(undefined, source)));
    expectGranted(await permits.take(testCamera(undefined, source)));
    const third = testCamera(undefined, source);
    expect(expectDenied(await permits.take(third))).toMatchObject({
      reason: 'budget',
      waitMs: 2500,
    });
    await permits.finish(first, { verdict: 'ok', restMs: 1000 });
    expectGranted(await permits.take(third));
  });

  it('L11: gives a free slot to a denied camera, not to one that just had a call', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 1 } });
    const [often, seldom] = [testCamera(undefined, source), testCamera(undefined, source)];
    const first = expectGranted(await permits.take(often));
    expect(wordOf(await permits.take(seldom))).toBe('budget');
    await nextMillisecond();
    await permits.finish(first, { verdict: 'none', restMs: 0 });
    expect(wordOf(await permits.take(often))).toBe('budget');
    const second = expectGranted(await permits.take(seldom));
    // Now the first camera was denied.
    await permits.finish(second, { verdict: 'none', restMs: 0 });
    await nextMillisecond();
    expect(wordOf(await permits.take(seldom))).toBe('budget');
    const third = expectGranted(await permits.take(often));
    await permits.finish(third, { verdict: 'none', restMs: 0 });
    // No slot is kept for a camera that did not retry, nor for leftovers of a clock set back.
    for (const key of [keys.waitingSince(source.name), keys.waitingUntil(source.name)]) {
      await client.zAdd(key, [
        { score: Date.now() - 1, value: seldom.cameraId },
        { score: Date.now() + 3_600_000, value: 'lost' },
      ]);
    }
    expectGranted(await permits.take(often));
    expect(await client.exists(keys.waitingUntil(source.name))).toBe(0);
  });

  it('gives free slots to the cameras that have waited for longest, whichever ask first', async () => {
    const { permits, turns } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 2 } });
    const cameras = Array.from({ length: 6 }, () => testCamera(undefined, source));
    const calls: Permit[] = [];
    const called: number[] = [];
    /** Every camera that has not been called asks, the last first. */
    const allAsk = async () => {
      for (const [n, camera] of [...cameras.entries()].reverse()) {
        if (called.includes(n)) continue;
        const result = await permits.take(camera);
        if (result.outcome !== 'granted') continue;
        called.push(n);
        calls.push(result.permit);
      }
    };
    for (const camera of cameras) {
      const result = await permits.take(camera);
      if (result.outcome === 'granted') called.push(calls.push(result.permit) - 1);
      await nextMillisecond();
    }
    expect(called).toEqual([0, 1]);
    for (const permit of calls) {
      await permits.finish(permit, { verdict: 'ok', restMs: 60_000 });
      await allAsk();
    }
    expect(called).toEqual([0, 1, 2, 3, 4, 5]);
    expect(turns).toEqual(cameras.slice(2).map(({ cameraId }) => cameraId));
  });

  it('tells one camera after the other when several slots become free at once', async () => {
    const { permits, turns } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 2 } });
    const cameras = Array.from({ length: 5 }, () => testCamera(undefined, source));
    const calls: Permit[] = [];
    for (const camera of cameras) {
      const result = await permits.take(camera);
      if (result.outcome === 'granted') calls.push(result.permit);
      await nextMillisecond();
    }
    for (const permit of calls) await permits.finish(permit, { verdict: 'ok', restMs: 60_000 });
    expect(turns).toEqual([cameras[2]?.cameraId, cameras[3]?.cameraId]);
    for (const permit of calls) await permits.finish(permit, { verdict: 'ok', restMs: 60_000 });
    expect(turns).toHaveLength(2);
  });

  it('lets cameras with a frame go before new ones that came shortly before them', async () => {
    const { permits } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 1 } });
    const first = expectGranted(await permits.take(testCamera(undefined, source)));
    const [made, known] = [testCamera(undefined, source), testCamera(undefined, source)];
    expect(wordOf(await permits.take(made, { isFirst: true }))).toBe('budget');
    expect(wordOf(await permits.take(known))).toBe('budget');
    await permits.finish(first, { verdict: 'ok', restMs: 60_000 });
    expect(wordOf(await permits.take(made, { isFirst: true }))).toBe('budget');
    const second = expectGranted(await permits.take(known));
    await permits.finish(second, { verdict: 'ok', restMs: 60_000 });
    expectGranted(await permits.take(made, { isFirst: true }));
  });

  it('L11: counts a call of a killed worker no longer than its permit lives', async () => {
    const { permits } = await openBench(url);
    const source = testSource({
      intervalMs: 50,
      timeoutMs: 1,
      startAllowanceMs: 2000,
      budget: { perSecond: 0, concurrency: 1 },
    });
    expectGranted(await permits.take(testCamera(undefined, source)));
    const next = testCamera(undefined, source);
    expect(wordOf(await permits.take(next))).toBe('budget');
    await expect
      .poll(async () => wordOf(await permits.take(next)), { timeout: 10_000 })
      .toBe('granted');
  });

  it('L11: does not count calls that a clock set back left in the far future', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 1 } });
    await client.zAdd(keys.calls(source.name), { score: Date.now() + 3_600_000, value: 'lost' });
    expectGranted(await permits.take(testCamera(undefined, source)));
    expect(await client.zScore(keys.calls(source.name), 'lost')).toBeNull();
  });

  it('L11: at 20 per second, gives each of 30 cameras a turn before any a second', async () => {
    const { permits } = await openBench(url);
    const source = testSource({
      intervalMs: 20,
      timeoutMs: 1,
      budget: { perSecond: 20, concurrency: 0 },
    });
    const cameras = Array.from({ length: 30 }, () => testCamera(undefined, source));
    const calls = new Map(cameras.map(({ cameraId }) => [cameraId, 0]));
    const grantedMs: number[] = [];
    const startMs = performance.now();
    const forMs = () => performance.now() - startMs;
    while (grantedMs.length < 50 && forMs() < 15_000) {
      for (const camera of cameras) {
        const result = await permits.take(camera);
        if (result.outcome !== 'granted') continue;
        grantedMs.push(performance.now());
        calls.set(camera.cameraId, (calls.get(camera.cameraId) ?? 0) + 1);
        await permits.finish(result.permit, { verdict: 'ok', restMs: spacingMs(source) });
      }
      await nextLoopTurn();
    }
    expect(grantedMs.length).toBeGreaterThanOrEqual(50);
    expect(grantedMs.length).toBeLessThanOrEqual((20 * forMs()) / 1000 + 2);
    expect(Math.max(...calls.values()) - Math.min(...calls.values())).toBeLessThanOrEqual(1);
  });

  it('lasts as long as the gap between two calls, however long that is', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0.001, concurrency: 0 } });
    expectGranted(await permits.take(testCamera(undefined, source)));
    expect(await client.pTTL(keys.rate(source.name))).toBeGreaterThan(1_000_000);
    expect(wordOf(await permits.take(testCamera(undefined, source)))).toBe('budget');
  });

  it('replaces a turn that a clock set back left in the far future', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 20, concurrency: 0 } });
    const camera = testCamera(undefined, source);
    const farMs = String(Date.now() + 3_600_000);
    await client.set(keys.turn(camera.cameraId), farMs);
    await client.set(keys.rate(source.name), farMs);
    expectGranted(await permits.take(camera));
  });

  it('is shared within a source, but not with another', async () => {
    const { permits } = await openBench(url);
    const busy = testSource({ budget: { perSecond: 1, concurrency: 1 } });
    expectGranted(await permits.take(testCamera(undefined, busy)));
    expect(wordOf(await permits.take(testCamera(undefined, busy)))).toBe('budget');
    const other = testSource({ budget: { perSecond: 1, concurrency: 1 } });
    expectGranted(await permits.take(testCamera(undefined, other)));
  });
});
