import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { permitLifeMs, spacingMs } from '@lastframe/shared/cameras/spacing';
import { describe, expect, inject, it } from 'vitest';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench } from '../test-support/permit-bench.ts';
import { denied, granted, wordOf } from '../test-support/permit-word.ts';

const url = inject('redisUrl');

describe('spacing and overlap', () => {
  it('grants a camera once, and another camera at the same time', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    granted(await permits.take(camera));
    expect(wordOf(await permits.take(camera))).toBe('busy');
    granted(await permits.take(testCamera()));
  });

  it('S7: a permit that nobody finishes lasts its whole life, and then it is over', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    granted(await permits.take(camera));
    const { waitMs } = denied(await permits.take(camera));
    const lifeMs = permitLifeMs(camera.source);
    expect(waitMs).toBeGreaterThan(lifeMs - 5000);
    expect(waitMs).toBeLessThanOrEqual(lifeMs + 1);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeGreaterThan(0);
  });

  it('S6: once finished it is spaced for what is left of the interval, and not longer', async () => {
    const { permits } = await openBench(url);
    // Short enough to see its end, long enough for a busy machine.
    const camera = testCamera(undefined, testSource({ intervalMs: 2000 }));
    const permit = granted(await permits.take(camera));
    const finishedMs = performance.now();
    await permits.finish(permit, { verdict: 'ok', restMs: spacingMs(camera.source) });
    const { reason, waitMs } = denied(await permits.take(camera));
    expect(reason).toBe('spaced');
    expect(waitMs).toBeLessThanOrEqual(Math.ceil(spacingMs(camera.source)) + 1);
    await expect
      .poll(async () => wordOf(await permits.take(camera)), { interval: 20, timeout: 10_000 })
      .toBe('granted');
    expect(performance.now() - finishedMs).toBeGreaterThanOrEqual(spacingMs(camera.source));
  });

  it('of many that ask at once exactly one is granted', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    const words = (await Promise.all(Array.from({ length: 200 }, () => permits.take(camera)))).map(
      wordOf,
    );
    expect(words.filter((word) => word === 'granted')).toHaveLength(1);
    expect(words.filter((word) => word === 'busy')).toHaveLength(199);
  });

  it('gives back a permit on which nothing was sent', async () => {
    const { permits } = await openBench(url);
    const camera = testCamera();
    const permit = granted(await permits.take(camera));
    expect(await permits.finish(permit, { verdict: 'none', restMs: 0 })).toBe(0);
    granted(await permits.take(camera));
  });

  it("S5: a finish that comes late does not touch another's permit", async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const first = granted(await permits.take(camera));
    await client.del(keys.permit(camera.cameraId));
    const second = granted(await permits.take(camera));
    expect(second.token).not.toBe(first.token);
    for (const restMs of [0, 1]) {
      expect(await permits.finish(first, { verdict: 'ok', restMs })).toBe(0);
    }
    expect(wordOf(await permits.take(camera))).toBe('busy');
    await permits.finish(first, { verdict: 'fail', restMs: 0, atLeastMs: 5000 });
    await permits.finish(second, { verdict: 'none', restMs: 0 });
    expect(wordOf(await permits.take(camera))).toBe('granted');
  });

  it('S12: every key that a script touches is of its prefix, hash tag and all', async () => {
    const prefix = '{test-tag}';
    const { permits, client } = await openBench(url, { prefix });
    const source = testSource({ budget: { perSecond: 5, concurrency: 5 } });
    const camera = testCamera(undefined, source);
    const permit = granted(await permits.take(camera));
    await permits.finish(permit, { verdict: 'fail', restMs: 60_000, atLeastMs: 60_000 });
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
      return await permits.finish(granted(await permits.take(camera)), fail);
    };
    const waits = [];
    for (let n = 0; n < 7; n += 1) waits.push(await failOnce());
    expect(waits).toEqual([1, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    await expect.poll(() => client.exists(keys.permit(camera.cameraId))).toBe(0);
    expect(denied(await permits.take(camera))).toMatchObject({ reason: 'backoff' });
    await client.del(keys.backoff(camera.cameraId));
    await permits.finish(granted(await permits.take(camera)), { verdict: 'ok', restMs: 0 });
    expect(await failOnce()).toBe(1);
  });

  it('counts one failure once, though its finish is sent again because the answer was late', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const end = { verdict: 'fail', restMs: 60_000 } as const;
    const first = granted(await permits.take(camera));
    await permits.finish(first, end);
    await permits.finish(first, end);
    await permits.finish(first, end);
    expect(await client.get(keys.failures(camera.cameraId))).toBe('1');
    expect(await client.exists(keys.backoff(camera.cameraId))).toBe(0);
    await client.del(keys.permit(camera.cameraId));
    const second = granted(await permits.take(camera));
    expect(await permits.finish(second, { ...end, restMs: 1 })).toBe(10_000);
  });

  it('S14: is at least what the finish demands, from the first failure on', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const permit = granted(await permits.take(camera));
    expect(await permits.finish(permit, { ...fail, atLeastMs: 15_000 })).toBe(15_000);
    await expect.poll(() => client.exists(keys.permit(camera.cameraId))).toBe(0);
    const { reason, waitMs } = denied(await permits.take(camera));
    expect(reason).toBe('backoff');
    expect(waitMs).toBeGreaterThan(10_000);
  });

  it('L10: lasts an hour if a camera asks for it, in a key of its own', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    const permit = granted(await permits.take(camera));
    await permits.finish(permit, { ...fail, atLeastMs: 3_600_000 });
    expect(await client.pTTL(keys.backoff(camera.cameraId))).toBeGreaterThan(3_590_000);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeLessThanOrEqual(1);
  });

  it('is not begun by a call that says nothing about the camera', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    for (let n = 0; n < 3; n += 1) {
      await permits.finish(granted(await permits.take(camera)), { verdict: 'none', restMs: 0 });
    }
    expect(
      await client.exists([keys.backoff(camera.cameraId), keys.failures(camera.cameraId)]),
    ).toBe(0);
  });

  it('S13: fractions of milliseconds abort no script half-way', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ intervalMs: 3333, startAllowanceMs: 4000.25 });
    const camera = testCamera(undefined, source);
    for (let n = 0; n < 3; n += 1) {
      await client.del([keys.permit(camera.cameraId), keys.backoff(camera.cameraId)]);
      const permit = granted(await permits.take(camera));
      const how = { verdict: 'fail', restMs: 100.7, atLeastMs: 0.3 } as const;
      expect(await permits.finish(permit, how)).toBeGreaterThan(100);
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
    expect(denied(await permits.take(camera))).toMatchObject({ reason: 'spaced', waitMs: 3001 });
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
    expect(denied(await permits.take(camera)).waitMs).toBe(701);
    expect(await client.pTTL(keys.permit(camera.cameraId))).toBeLessThanOrEqual(700);
  });

  it('L4: both are clipped during a hold-off already, so that it does not double them', async () => {
    const { permits, client, keys } = await openBench(url, { adopt: false });
    const { cameraId, ...rest } = testCamera();
    const expiration = { type: 'PX', value: 3_600_000 } as const;
    await client.set(keys.permit(cameraId), 'token 700', { expiration });
    await client.set(keys.backoff(cameraId), '600', { expiration });
    expect(wordOf(await permits.take({ cameraId, ...rest }))).toBe('hold');
    expect(await client.pTTL(keys.permit(cameraId))).toBeLessThanOrEqual(700);
    expect(await client.pTTL(keys.backoff(cameraId))).toBeLessThanOrEqual(600);
  });

  it('L4: so is a back-off', async () => {
    const { permits, client, keys } = await openBench(url);
    const camera = testCamera();
    await client.set(keys.backoff(camera.cameraId), '60000');
    expect(denied(await permits.take(camera))).toMatchObject({ reason: 'backoff', waitMs: 60_001 });
    expect(await client.pTTL(keys.backoff(camera.cameraId))).toBeGreaterThan(0);
  });
});

describe('the budget of a source', () => {
  it('L11: bounds the calls in flight, and counts no call that ended', async () => {
    const { permits } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 2 } });
    const first = granted(await permits.take(testCamera(undefined, source)));
    granted(await permits.take(testCamera(undefined, source)));
    const third = testCamera(undefined, source);
    expect(denied(await permits.take(third))).toMatchObject({ reason: 'budget', waitMs: 500 });
    await permits.finish(first, { verdict: 'ok', restMs: 1000 });
    granted(await permits.take(third));
  });

  it('L11: gives a place that is free to one that was turned away, not to one that just had a call', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 1 } });
    const [often, seldom] = [testCamera(undefined, source), testCamera(undefined, source)];
    const first = granted(await permits.take(often));
    expect(wordOf(await permits.take(seldom))).toBe('budget');
    await permits.finish(first, { verdict: 'none', restMs: 0 });
    expect(wordOf(await permits.take(often))).toBe('budget');
    const second = granted(await permits.take(seldom));
    // Now the first one is who was turned away.
    await permits.finish(second, { verdict: 'none', restMs: 0 });
    expect(wordOf(await permits.take(seldom))).toBe('budget');
    const third = granted(await permits.take(often));
    await permits.finish(third, { verdict: 'none', restMs: 0 });
    // Nobody keeps a place for one that never came back, nor for what a clock set back left.
    await client.zAdd(keys.waiting(source.name), [
      { score: Date.now() - 1, value: keys.permit(seldom.cameraId) },
      { score: Date.now() + 3_600_000, value: 'lost' },
    ]);
    granted(await permits.take(often));
  });

  it('L11: a call whose worker was killed is counted no longer than its permit lives', async () => {
    const { permits } = await openBench(url);
    const source = testSource({
      intervalMs: 50,
      timeoutMs: 1,
      startAllowanceMs: 2000,
      budget: { perSecond: 0, concurrency: 1 },
    });
    granted(await permits.take(testCamera(undefined, source)));
    const next = testCamera(undefined, source);
    expect(wordOf(await permits.take(next))).toBe('budget');
    await expect
      .poll(async () => wordOf(await permits.take(next)), { timeout: 10_000 })
      .toBe('granted');
  });

  it('L11: calls that a clock set back left in the far future are not counted', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0, concurrency: 1 } });
    await client.zAdd(keys.calls(source.name), { score: Date.now() + 3_600_000, value: 'lost' });
    granted(await permits.take(testCamera(undefined, source)));
    expect(await client.zScore(keys.calls(source.name), 'lost')).toBeNull();
  });

  it('L11: of 30 cameras at 20 per second each gets its turn before one gets a second', async () => {
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
        const taken = await permits.take(camera);
        if (taken.outcome !== 'granted') continue;
        grantedMs.push(performance.now());
        calls.set(camera.cameraId, (calls.get(camera.cameraId) ?? 0) + 1);
        await permits.finish(taken.permit, { verdict: 'ok', restMs: spacingMs(source) });
      }
      await turnOfTheLoop();
    }
    expect(grantedMs.length).toBeGreaterThanOrEqual(50);
    expect(grantedMs.length).toBeLessThanOrEqual((20 * forMs()) / 1000 + 2);
    expect(Math.max(...calls.values()) - Math.min(...calls.values())).toBeLessThanOrEqual(1);
  });

  it('lasts as long as the gap between two calls, however long that is', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 0.001, concurrency: 0 } });
    granted(await permits.take(testCamera(undefined, source)));
    expect(await client.pTTL(keys.rate(source.name))).toBeGreaterThan(1_000_000);
    expect(wordOf(await permits.take(testCamera(undefined, source)))).toBe('budget');
  });

  it('a turn that a clock set back left in the far future is drawn anew', async () => {
    const { permits, client, keys } = await openBench(url);
    const source = testSource({ budget: { perSecond: 20, concurrency: 0 } });
    const camera = testCamera(undefined, source);
    const farMs = String(Date.now() + 3_600_000);
    await client.set(keys.turn(camera.cameraId), farMs);
    await client.set(keys.rate(source.name), farMs);
    granted(await permits.take(camera));
  });

  it('is one budget for a source, and none for another', async () => {
    const { permits } = await openBench(url);
    const busy = testSource({ budget: { perSecond: 1, concurrency: 1 } });
    granted(await permits.take(testCamera(undefined, busy)));
    expect(wordOf(await permits.take(testCamera(undefined, busy)))).toBe('budget');
    const other = testSource({ budget: { perSecond: 1, concurrency: 1 } });
    granted(await permits.take(testCamera(undefined, other)));
  });
});
