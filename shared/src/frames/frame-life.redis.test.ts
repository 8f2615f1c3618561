import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { ownRedis, sharedRedis, testLink } from '../../../testing/test-redis.ts';
import type { Camera } from '../cameras/camera.ts';
import { keysFor } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-link.ts';
import { etagOf } from './frame.ts';
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
/** A busy machine. */
const LATE_MS = 30_000;
const unnamed = testCamera('unnamed');
const named = { ...testCamera('named'), name: 'gate' };
const { cameraId } = unnamed;

/** What a worker stores of cameras, as its reporter does. */
function storeOn(client: RedisClient, keys = keysFor('p')) {
  let stored = 0;
  const times = {
    // Each later than the one before, also within one millisecond.
    get startedAgoMs() {
      stored += 1;
      return 1000 - 10 * stored;
    },
    ...{ capturedAgoMs: 0, nextMs: 0 },
  };
  const store = (camera: Camera, bytes = randomBytes(10)) =>
    storeFrame(client, keys, {
      ...{ cameraId: camera.cameraId, bytes, contentType: 'image/jpeg', etag: etagOf(bytes) },
      ...times,
      ...frameLimitsOf(camera),
      validators: { etag: '"v"' },
    });
  const renew = async (camera: Camera) => {
    const known = await readKnownFrame(client, keys, camera.cameraId);
    if (!known) throw new Error('there is no frame to renew');
    const limits = frameLimitsOf(camera);
    return await renewFrame(client, keys, {
      ...{ cameraId: camera.cameraId, known },
      ...times,
      ...limits,
    });
  };
  const fail = (camera: Camera, nextMs = 5000) =>
    storeFailure(client, keys, {
      ...{ cameraId: camera.cameraId, status: 502, reason: 'x', nextMs, rememberMs: 5000 },
      limits: frameLimitsOf(camera, nextMs),
    });
  const frameLeftMs = (camera: Camera) => client.pTTL(keys.frame(camera.cameraId));
  const healthLeftMs = (camera: Camera) => client.pTTL(keys.health(camera.cameraId));
  return { keys, store, renew, fail, frameLeftMs, healthLeftMs };
}

async function sharedStore() {
  const { link, keys } = await sharedRedis();
  const parts = storeOn(link.client, keys);
  /** As if the camera had been in use since then. */
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
  it("that was asked for once is kept for minutes, with the camera's health", async () => {
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

  it('is never kept for longer than STALE_FOR', async () => {
    const { store, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(100 * HOUR_MS);
    await store(unnamed);
    expectAbout(await frameLeftMs(unnamed), 24 * HOUR_MS);
  });

  it('from before the clock was set back was not in use from the future', async () => {
    const { store, inUseFor, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await inUseFor(-HOUR_MS);
    await store(unnamed);
    expectAbout(await frameLeftMs(unnamed), 10 * MINUTE_MS);
  });

  it('is kept on while the camera fails and somebody asks for it', async () => {
    const { client, keys, store, fail, frameLeftMs } = await sharedStore();
    await store(unnamed);
    await client.pExpire(keys.frame(cameraId), MINUTE_MS);
    await fail(unnamed);
    expectAbout(await frameLeftMs(unnamed), 10 * MINUTE_MS);
    await fail(unnamed, HOUR_MS);
    expectAbout(await frameLeftMs(unnamed), 2 * HOUR_MS);
  });

  it('is not kept on by failures when it is too old to be served', async () => {
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

it('a named camera keeps its frame for STALE_FOR and its health for a day, as it fails too', async () => {
  const { store, renew, fail, frameLeftMs, healthLeftMs } = await sharedStore();
  for (const step of [store, renew, fail]) {
    await step(named);
    expectAbout(await frameLeftMs(named), 24 * HOUR_MS);
    expectAbout(await healthLeftMs(named), 24 * HOUR_MS);
  }
});

it('failures of a camera that never gave a frame are kept for minutes', async () => {
  const { fail, frameLeftMs, healthLeftMs } = await sharedStore();
  expect(await fail(unnamed)).toBe(true);
  expectAbout(await healthLeftMs(unnamed), 10 * MINUTE_MS);
  expect(await frameLeftMs(unnamed)).toBe(-2);
});

it('a camera that is forgotten leaves nothing behind', async () => {
  const { client, keys, store, fail } = await sharedStore();
  await store(unnamed);
  await fail(unnamed);
  await forgetCamera(client, keys, cameraId);
  expect(await readCamera(client, keys, cameraId)).toMatchObject({ facts: {} });
  expect(await client.exists([keys.frame(cameraId), keys.health(cameraId)])).toBe(0);
});

describe('a Redis whose memory is used up', () => {
  const SIZE = 200_000;
  const frameOf = (sizeBytes: number) => randomBytes(sizeBytes);

  /** @returns what to call with the share of its memory that is to be used */
  async function boundRedis() {
    const server = await ownRedis('--maxmemory-policy', 'noeviction', '--appendonly', 'no');
    const link = testLink(server.url);
    await link.ready(10_000);
    const { client } = link;
    // Beside it the frame that is under way is little.
    await client.set('filler', Buffer.alloc(20_000_000));
    const parts = storeOn(client);
    const fillTo = async (share: number) => {
      const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
      await client.configSet('maxmemory', String(Math.ceil(used / share)));
    };
    return { ...parts, client, fillTo };
  }

  it('replaces every frame that needs no more memory, however full it is', async () => {
    const { store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await store(named, frameOf(SIZE));
    await fillTo(0.95);
    for (const camera of [unnamed, named]) {
      expect(await store(camera, frameOf(SIZE))).toBe('frame');
      expect(await store(camera, frameOf(SIZE / 2))).toBe('frame');
    }
  });

  it('above 70 % refuses first frames of unnamed cameras only', async () => {
    const { client, keys, store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await fillTo(0.75);
    const other = testCamera('other');
    expect(await store(other, frameOf(SIZE))).toBe('no room');
    expect(await client.exists([keys.frame(other.cameraId), keys.health(other.cameraId)])).toBe(0);
    expect(await store(unnamed, frameOf(SIZE + 1000))).toBe('frame');
    expect(await store(named, frameOf(SIZE))).toBe('frame');
  });

  it('above 80 % lets frames of named cameras grow, but not those of others', async () => {
    const { store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(1000));
    await store(named, frameOf(1000));
    await fillTo(0.85);
    expect(await store(unnamed, frameOf(2000))).toBe('no room to grow');
    expect(await store(named, frameOf(2000))).toBe('frame');
  });

  it('above 90 % lets none grow: what is left is for the permits', async () => {
    const { store, fillTo } = await boundRedis();
    await store(named, frameOf(1000));
    await fillTo(0.95);
    expect(await store(named, frameOf(2000))).toBe('no room to grow');
    expect(await store({ ...testCamera('new'), name: 'new' })).toBe('no room');
  });

  it.each([
    ['evicts', { 'maxmemory-policy': 'allkeys-lru' }],
    ['has no bound', { maxmemory: '0' }],
  ])('has always room when it %s', async (_, config) => {
    const { client, store, fillTo } = await boundRedis();
    await store(unnamed, frameOf(SIZE));
    await fillTo(0.95);
    await client.configSet(config);
    expect(await store(testCamera('new'), frameOf(100))).toBe('frame');
  });
});
