import { describe, expect, it, onTestFinished } from 'vitest';
import { nextRedisMs, sharedRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testStorage } from '../../../testing/test-camera.ts';
import {
  type CapturedFrame,
  NO_BYTES,
  readCamera,
  readKnownFrame,
  recordUnmetDemand,
  renewFrame,
  storeFailure,
  storeFrame,
} from '../frames/frame-store.ts';
import { etagOf } from '../http/etag.ts';
import { type Announcement, decodeAnnouncement } from '../messages/announcement.ts';
import { healthOf } from './camera-health.ts';

const { cameraId, source } = testCamera('a', { frozenAfterMs: 10_000 });
const validators = { etag: '"theirs"' };

async function storeParts() {
  const { link, keys } = await sharedRedis();
  const { client } = link;
  const times = { startedAgoMs: 0, capturedAgoMs: 0, nextMs: 4000, ...testStorage(60_000) };
  const limits = { longestGapMs: 8000, frozenAfterMs: source.frozenAfterMs };
  const store = async (text: string, over: Partial<CapturedFrame> = {}) => {
    await nextRedisMs(link);
    const bytes = Buffer.from(text);
    const frame = { cameraId, bytes, contentType: 'image/jpeg', etag: etagOf(bytes), validators };
    return await storeFrame(client, keys, { ...frame, ...times, ...limits, ...over });
  };
  const ago = (agoMs: number) => ({ startedAgoMs: agoMs, capturedAgoMs: agoMs });
  const renew = async (over: Partial<CapturedFrame> = {}) => {
    await nextRedisMs(link);
    const known = (await readKnownFrame(client, keys, cameraId)) ?? { etag: '', validators: {} };
    return await renewFrame(client, keys, { cameraId, known, ...times, ...limits, ...over });
  };
  const kept = { staleForMs: 60_000, keepMs: 60_000, keepHealthMs: 86_400_000 };
  const fail = (reason: string) => {
    const failure = { status: 502, reason, nextMs: 5000 } as const;
    return storeFailure(client, keys, { cameraId, rememberMs: 1000, limits: kept, ...failure });
  };
  const read = () => readCamera(client, keys, cameraId, NO_BYTES);
  const health = async () => {
    const { facts, nowMs } = await read();
    return { ...healthOf(facts, source, nowMs), facts, nowMs };
  };
  return { client, keys, store, ago, renew, fail, read, health };
}

describe('the health of a camera in the store', () => {
  it('is live from the first good frame on, by new bytes, the same bytes or 304s', async () => {
    const { store, ago, renew, health } = await storeParts();
    await store('a', ago(6000));
    const first = (await health()).facts.goodSinceMs;
    await store('b', ago(4000));
    await store('b', ago(2000));
    await renew();
    const { facts, ...state } = await health();
    expect(state).toMatchObject({ health: 'live', sinceMs: first });
    expect(facts.frame?.capturedAtMs).toBeGreaterThanOrEqual((first ?? 0) + 6000);
  });

  it('starts a new live period after a gap', async () => {
    const { store, ago, health } = await storeParts();
    await store('a', ago(9000));
    await store('b');
    const { facts, sinceMs } = await health();
    expect(sinceMs).toBe(facts.frame?.capturedAtMs);
  });

  it('is failing since the first failure, with the last reason, until a good frame', async () => {
    const { store, ago, fail, health } = await storeParts();
    await store('a', ago(1000));
    await fail('first');
    const since = (await health()).sinceMs;
    await fail('second');
    expect(await health()).toMatchObject({ health: 'failing', sinceMs: since, reason: 'second' });
    await store('b');
    const { facts, ...state } = await health();
    expect(state).toMatchObject({ health: 'live', sinceMs: facts.frame?.capturedAtMs });
    expect(facts.failure).toBeUndefined();
  });

  it('starts a new failing period after a good frame from a worker that records no health', async () => {
    const { client, keys, fail, health } = await storeParts();
    await fail('first');
    const { nowMs } = await health();
    await expect.poll(async () => (await health()).nowMs).toBeGreaterThan(nowMs + 1);
    await client.hSet(keys.frame(cameraId), 'capturedAt', String(nowMs + 1));
    await fail('second');
    expect((await health()).facts.failure?.sinceMs).toBeGreaterThan(nowMs);
  });

  it('is frozen after the same bytes for long, and live again when they change', async () => {
    const { store, ago, renew, health } = await storeParts();
    await store('a', { ...ago(12_000), longestGapMs: 20_000 });
    await renew({ ...ago(500), longestGapMs: 20_000 });
    expect(await health()).toMatchObject({ health: 'frozen' });
    await store('b', { longestGapMs: 20_000 });
    const { facts, ...state } = await health();
    expect(state).toMatchObject({ health: 'live', sinceMs: facts.frame?.changedAtMs });
  });

  it('is late only while requests go unmet; overlapping notes form one period', async () => {
    const { client, keys, store, ago, health } = await storeParts();
    await store('a', ago(30_000));
    expect((await health()).health).toBe('idle');
    await recordUnmetDemand(client, keys, { cameraId, askedForMs: 25_000, holdsMs: 10_000 });
    expect((await health()).health).toBe('late');
    const before = (await health()).facts.asked;
    await recordUnmetDemand(client, keys, { cameraId, askedForMs: 0, holdsMs: 12_000 });
    const after = (await health()).facts.asked;
    expect(after?.fromMs).toBe(before?.fromMs);
    expect(after?.untilMs).toBeGreaterThan(before?.untilMs ?? 0);
  });

  it('starts over in a store that lost it', async () => {
    const { client, keys, store, ago, health } = await storeParts();
    await store('a', ago(1000));
    await client.del([keys.frame(cameraId), keys.health(cameraId)]);
    expect(await health()).toMatchObject({ health: 'idle' });
    await store('b');
    expect(await health()).toMatchObject({ health: 'live' });
  });

  it('is part of every announcement, so that subscribers need not read it', async () => {
    const { client, keys, store, ago, renew, fail, health } = await storeParts();
    const heard: (Announcement | undefined)[] = [];
    const subscriber = client.duplicate();
    await subscriber.connect();
    onTestFinished(() => subscriber.destroy());
    await subscriber.subscribe(keys.channel(''), (text) => heard.push(decodeAnnouncement(text)));
    await store('a', ago(2000));
    await renew();
    const { facts } = await health();
    await fail('why');
    const failed = (await health()).facts.failure;
    const { goodSinceMs, frame } = facts;
    const { reason: _, ...failure } = failed ?? { reason: '' };
    await expect
      .poll(() => heard)
      .toMatchObject([
        { kind: 'frame', facts: { goodSinceMs } },
        { kind: 'unchanged', facts: { ...frame, goodSinceMs } },
        { kind: 'failure', facts: failure },
      ]);
  });
});

it('the size of a frame, in bytes and pixels, is read without its bytes', async () => {
  const { store, ago, read } = await storeParts();
  await store('12345', { ...ago(1000), dimensions: { width: 640, height: 360 } });
  const { frame } = await read();
  expect(frame).toMatchObject({ sizeBytes: 5, dimensions: { width: 640, height: 360 } });
  expect(frame?.bytes).toBeUndefined();
  await store('123456');
  expect((await read()).frame?.dimensions).toBeUndefined();
});
