import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ownRedis, sharedRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { testCamera } from '../../../testing/test-camera.ts';
import type { Camera } from '../cameras/camera.ts';
import { etagOf } from '../http/etag.ts';
import { keysFor } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-link.ts';
import { frameLimitsOf } from './frame-limits.ts';
import {
  forgetCamera,
  readCamera,
  readKnownFrame,
  renewFrame,
  storeFailure,
  storeFrame,
} from './frame-store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Tolerance for a busy machine. */
const LATE_MS = 30_000;
const unnamed = testCamera('unnamed');
const named = { ...testCamera('named'), name: 'gate' };
const { cameraId } = unnamed;

/** Stores results as a worker does. */
function storeOn(client: RedisClient, keys = keysFor('p')) {
  let stored = 0;
  const times = {
    // Later each time, even within one millisecond.
    get startedAgoMs() {
      stored += 1;
      return 1000 - 10 * stored;
    },
    capturedAgoMs: 0,
    nextMs: 0,
    longestGapMs: Number.MAX_SAFE_INTEGER,
  };
  const store = (camera: Camera, bytes = randomBytes(10)) =>
    storeFrame(client, keys, {
      cameraId: camera.cameraId,
      bytes,
      contentType: 'image/jpeg',
      etag: etagOf(bytes),
      ...times,
      ...frameLimitsOf(camera),
      validators: { etag: '"v"' },
    });
  const renew = async (camera: Camera) => {
    const known = await readKnownFrame(client, keys, camera.cameraId);
    if (!known) throw new Error('there is no frame to renew');
    const limits = frameLimitsOf(camera);
    return await renewFrame(client, keys, {
      cameraId: camera.cameraId,
      known,
      ...times,
      ...limits,
    });
  };
  const fail = (camera: Camera, nextMs = 5000) =>
    storeFailure(client, keys, {
      cameraId: camera.cameraId,
      status: 502,
      reason: 'x',
      nextMs,
      rememberMs: 5000,
      limits: frameLimitsOf(camera, nextMs),
    });
  const frameLeftMs = (camera: Camera) => client.pTTL(keys.frame(camera.cameraId));
  const healthLeftMs = (camera: Camera) => client.pTTL(keys.health(camera.cameraId));
  return { keys, store, renew, fail, frameLeftMs, healthLeftMs };
}

async function sharedStore() {
  const { link, keys } = await sharedRedis();
  const parts = storeOn(link.client, keys);
  /** Pretends that the camera has been in use for `ms`. */
  const inUseFor = async (ms: number) => {
    const [seconds] = (await link.client.sendCommand(['TIME'])) as [string];
    await link.client.hSet(keys.frame(cameraId), 'since', Number(seconds) * 1000 - ms);
  };
  return { ...parts, client: link.client, inUseFor };
}

function expectAbout(actualMs: number, ms: number): void {
  expect(actualMs).toBeLessThanOrEqual(ms + LATE_MS);
  expect(actualMs).toBeGreaterThan(ms - LATE_MS);
}

describe('a frame of an unnamed camera', () => {
  it("is kept for minutes after a single request, with the camera's health", async () => {
    const { store, frameLeftMs, healthLeftMs } = await sharedStore();
    expect(await store(unnamed)).toBe('frame');
    expectAbout(await frameLeftMs(unnamed), 10 * MINUTE_MS);
    expectAbout(await healthLeftMs(unnamed), 10 * MINUTE_MS);
  });

  it('is kept for as long as the camera has been in use', async () => {
    const { store, renew, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(3 * HOUR_MS);
    expect(await store(unnamed)).toBe('frame');
    expectAbout(await frameLeftMs(unnamed), 3 * HOUR_MS);
    await inUseFor(5 * HOUR_MS);
    expect(await renew(unnamed)).toBe('unchanged');
    expectAbout(await frameLeftMs(unnamed), 5 * HOUR_MS);
  });

  it('is never kept longer than STALE_FOR', async () => {
    const { store, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(100 * HOUR_MS);
    await store(unnamed);
    expectAbout(await frameLeftMs(unnamed), 24 * HOUR_MS);
  });

  it('is kept for minutes if the clock was set back to before its first use', async () => {
    const { store, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(-HOUR_MS);
    await store(unnamed);
    expectAbout(await frameLeftMs(unnamed), 10 * MINUTE_MS);
  });

  it('is kept while the camera fails and is still requested', async () => {
    const { client, keys, store, fail, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await client.pExpire(keys.frame(cameraId), MINUTE_MS);
    await fail(unnamed);
    expectAbout(await frameLeftMs(unnamed), 10 * MINUTE_MS);
    await fail(unnamed, HOUR_MS);
    expectAbout(await frameLeftMs(unnamed), 2 * HOUR_MS);
  });

  it('is not kept by failures once it is too old to be served', async () => {
    const { client, keys, store, fail, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(30 * HOUR_MS);
    const [seconds] = (await client.sendCommand(['TIME'])) as [string];
    const capturedAt = Number(seconds) * 1000 - 24 * HOUR_MS + 5 * MINUTE_MS;
    await client.hSet(keys.frame(cameraId), 'capturedAt', capturedAt);
    await client.pExpire(keys.frame(cameraId), MINUTE_MS);
    await fail(unnamed);
    expectAbout(await frameLeftMs(unnamed), 5 * MINUTE_MS);
  });
});

it('a named camera keeps its frame for STALE_FOR and its health for a day, even while failing', async () => {
  const { store, renew, fail, frameLeftMs, healthLeftMs } = await sharedStore();
  for (const step of [store, renew, fail]) {
    await step(named);
    expectAbout(await frameLeftMs(named), 24 * HOUR_MS);
    expectAbout(await healthLeftMs(named), 24 * HOUR_MS);
  }
});

it('failures of a camera without a frame are kept for minutes', async () => {
  const { fail, frameLeftMs, healthLeftMs } = await sharedStore();
  expect(await fail(unnamed)).toBe(true);
  expectAbout(await healthLeftMs(unnamed), 10 * MINUTE_MS);
  expect(await frameLeftMs(unnamed)).toBe(-2);
});

it('forgetting a camera leaves nothing behind', async () => {
  const { client, keys, store, fail } = await sharedStore();
  await store(unnamed);
  await fail(unnamed);
  await forgetCamera(client, keys, cameraId);
  expect(await readCamera(client, keys, cameraId)).toMatchObject({ facts: {} });
  expect(await client.exists([keys.frame(cameraId), keys.health(cameraId)])).toBe(0);
});

describe('a Redis that runs out of memory', () => {
  const SIZE = 200_000;
  const frameOf = (sizeBytes: number) => randomBytes(sizeBytes);

  /** @returns `fillTo`, which sets the share of memory in use */
  async function boundRedis() {
    const server = await ownRedis('--maxmemory-policy', 'noeviction', '--appendonly', 'no');
    const link = testLink(server.url);
    await link.ready(10_000);
    const { client } = link;
    // Makes the size of a frame in transit negligible.
    await client.set('filler', Buffer.alloc(20_000_000));
    const parts = storeOn(client);
    const fillTo = async (share: number) => {
      const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
      await client.configSet('maxmemory', String(Math.ceil(used / share)));
    };
    return { ...parts, client, fillTo };
  }

  it('replaces every frame with one of at most its size, however full it is', async () => {
    const { store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await store(named, frameOf(SIZE));
    await fillTo(0.95);
    for (const camera of [unnamed, named]) {
      expect(await store(camera, frameOf(SIZE))).toBe('frame');
      expect(await store(camera, frameOf(SIZE / 2))).toBe('frame');
    }
  });

  it('above 70 % rejects first frames of unnamed cameras only', async () => {
    const { client, keys, store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await fillTo(0.75);
    const other = testCamera('other');
    expect(await store(other, frameOf(SIZE))).toBe('no room');
    expect(await client.exists([keys.frame(other.cameraId), keys.health(other.cameraId)])).toBe(0);
    expect(await store(unnamed, frameOf(SIZE + 1000))).toBe('frame');
    expect(await store(named, frameOf(SIZE))).toBe('frame');
  });

  it('above 80 % lets only frames of named cameras grow', async () => {
    const { store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(1000));
    await store(named, frameOf(1000));
    await fillTo(0.85);
    expect(await store(unnamed, frameOf(2000))).toBe('no room to grow');
    expect(await store(named, frameOf(2000))).toBe('frame');
  });

  it('above 90 % lets no frame grow: the rest is for permits', async () => {
    const { store, fillTo } = await boundRedis();
    await store(named, frameOf(1000));
    await fillTo(0.95);
    expect(await store(named, frameOf(2000))).toBe('no room to grow');
    expect(await store({ ...testCamera('new'), name: 'new' })).toBe('no room');
  });

  it.each([
    ['evicts', { 'maxmemory-policy': 'allkeys-lru' }],
    ['has no limit', { maxmemory: '0' }],
  ])('always has room when it %s', async (_, config) => {
    const { client, store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await fillTo(0.95);
    await client.configSet(config);
    expect(await store(testCamera('new'), frameOf(100))).toBe('frame');
  });
});
