import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nextRedisMs, sharedRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testStorage } from '../../../testing/test-camera.ts';
import { etagOf } from '../http/etag.ts';
import { type Announcement, decodeAnnouncement } from '../messages/announcement.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { type FrameLimits, frameLimitsOf } from './frame-limits.ts';
import {
  type CapturedFrame,
  readCadence,
  readCamera,
  readKnownFrame,
  recordUnmetDemand,
  renewFrame,
  storeFailure,
  storeFrame,
} from './frame-store.ts';
import { type PurgeMode, purgeCamera, readPurges } from './purge.ts';

const { cameraId } = testCamera('a');
const STALE_FOR_MS = 60_000;

function captured(text: string, over: Partial<CapturedFrame> = {}): CapturedFrame {
  const bytes = over.bytes ?? Buffer.from(text);
  return {
    cameraId,
    bytes,
    contentType: 'image/jpeg',
    etag: etagOf(bytes),
    startedAgoMs: 0,
    capturedAgoMs: 0,
    nextMs: 4000,
    ...testStorage(STALE_FOR_MS),
    ...over,
  };
}

async function storeParts() {
  const { link, keys } = await sharedRedis();
  const { client } = link;
  const store = async (text: string, over: Partial<CapturedFrame> = {}) => {
    await nextRedisMs(link);
    return await storeFrame(client, keys, captured(text, over));
  };
  const fail = (rememberMs: number, over: Partial<FrameLimits> = {}) => {
    const limits = { ...frameLimitsOf(testCamera('a')), ...over };
    const failure = { status: 504, reason: 'late', nextMs: 7000 } as const;
    return storeFailure(client, keys, { cameraId, rememberMs, limits, ...failure });
  };
  const read = (knownEtag?: string) => readCamera(client, keys, cameraId, knownEtag);
  /** Collects the announcements. */
  const listen = async () => {
    const heard: (Announcement | undefined)[] = [];
    const subscriber = client.duplicate();
    await subscriber.connect();
    onTestFinished(() => subscriber.destroy());
    await subscriber.subscribe(keys.channel(''), (text) => heard.push(decodeAnnouncement(text)));
    return heard;
  };
  return { link, client, keys, store, fail, read, listen };
}

describe('a frame', () => {
  it('is read back as it was stored, whatever its bytes', async () => {
    const { store, read } = await storeParts();
    const bytes = Buffer.concat([Buffer.from([0, 255, 13, 10, 0xc3, 0x28]), randomBytes(100_000)]);
    expect(await store('', { bytes, startedAgoMs: 5000, capturedAgoMs: 1000 })).toBe('frame');
    const { frame, failure } = await read();
    expect(failure).toBeUndefined();
    expect(frame?.bytes?.equals(bytes)).toBe(true);
    expect(frame).toMatchObject({ cameraId, contentType: 'image/jpeg', etag: etagOf(bytes) });
    expect(frame?.capturedAtMs).toBe((frame?.startedAtMs ?? 0) + 4000);
    expect(frame?.changedAtMs).toBe(frame?.capturedAtMs);
    expect(frame?.startedAgoMs).toBeGreaterThanOrEqual(5000);
    expect((frame?.startedAgoMs ?? 0) - (frame?.capturedAgoMs ?? 0)).toBe(4000);
  });

  it('says how long it is fresh, and what the next call should know', async () => {
    const { client, keys, store, read, listen } = await storeParts();
    const heard = await listen();
    await store('a', { startedAgoMs: 5000, cadence: { freshForMs: 90_000, learned: 'first' } });
    expect((await read()).frame).toMatchObject({ freshForMs: 90_000 });
    expect((await read()).facts.frame).toMatchObject({ freshForMs: 90_000 });
    expect(await readCadence(client, keys, cameraId)).toBe('first');
    await store('a', { cadence: { freshForMs: 60_000, learned: 'second' } });
    expect((await read()).frame).toMatchObject({ freshForMs: 60_000 });
    expect(await readCadence(client, keys, cameraId)).toBe('second');
    await expect
      .poll(() => heard)
      .toMatchObject([
        { kind: 'frame', freshForMs: 90_000 },
        { kind: 'unchanged', freshForMs: 60_000 },
      ]);
  });

  it('of a worker of an older version is due when the last one was', async () => {
    const { client, keys, store, read } = await storeParts();
    await store('a', { startedAgoMs: 5000, cadence: { freshForMs: 20_000, learned: 'first' } });
    await store('b');
    const { frame } = await read();
    expect(frame?.freshForMs).toBeGreaterThan(14_000);
    expect(frame?.freshForMs).toBeLessThanOrEqual(15_000);
    await client.hSet(keys.frame(cameraId), 'dueAt', '1');
    expect((await read()).frame?.freshForMs).toBeUndefined();
  });

  it('is absent where none was stored', async () => {
    const { read } = await storeParts();
    expect(await read()).toEqual({ nowMs: expect.any(Number), facts: {} });
  });

  it('is replaced by a newer one', async () => {
    const { store, read } = await storeParts();
    await store('old', { startedAgoMs: 5000 });
    expect(await store('new')).toBe('frame');
    expect(String((await read()).frame?.bytes)).toBe('new');
  });

  it('is not replaced by a late one that was started earlier', async () => {
    const { store, read } = await storeParts();
    await store('new', { startedAgoMs: 4000 });
    expect(await store('late', { startedAgoMs: 60_000 })).toBe('older');
    const { frame } = await read();
    expect(String(frame?.bytes)).toBe('new');
    expect(frame?.startedAgoMs).toBeLessThan(60_000);
  });

  it('with the same bytes only makes the stored one younger', async () => {
    const { store, read } = await storeParts();
    await store('same', { startedAgoMs: 9000, capturedAgoMs: 8000 });
    const before = (await read()).frame;
    const again = { startedAgoMs: 2000, capturedAgoMs: 1000 };
    expect(await store('same', again)).toBe('unchanged');
    const after = (await read()).frame;
    expect(after).toMatchObject({
      contentType: 'image/jpeg',
      etag: before?.etag,
      bytes: before?.bytes,
      changedAtMs: before?.changedAtMs,
    });
    expect(after?.startedAgoMs).toBeLessThan(9000);
    expect(after?.capturedAgoMs).toBeLessThan(8000);
  });

  it.each([
    ['type', 'text/html'],
    ['startedAt', '1e308'],
    ['capturedAt', 'nan'],
    ['changedAt', 'inf'],
    ['changedAt', '-1'],
    ['bytes', ''],
    ['bytes', 'others'],
  ])('with the same bytes replaces a record whose %s is %j', async (field, value) => {
    const { client, keys, store, read } = await storeParts();
    await store('same', { startedAgoMs: 9000, capturedAgoMs: 8000 });
    await client.hSet(keys.frame(cameraId), field, value);
    expect(await store('same')).toBe('frame');
    const { frame } = await read();
    expect(frame).toMatchObject({ contentType: 'image/jpeg', bytes: Buffer.from('same') });
  });

  it('is stored, as is a failure, whatever the health record of its camera contains', async () => {
    const { client, keys, store, fail, read } = await storeParts();
    const names = ['goodSince', 'failSince', 'failedAt', 'failNext', 'askedFrom', 'askedUntil'];
    for (const value of ['x', 'nan', '-inf', '1e999', '1.5']) {
      await client.hSet(keys.health(cameraId), Object.fromEntries(names.map((n) => [n, value])));
      expect(Object.keys((await read()).facts)).not.toContain('failure');
      await recordUnmetDemand(client, keys, { cameraId, askedForMs: 1, holdsMs: 1 });
      expect(await fail(1000)).toBe(true);
      expect(await store(value)).toBe('frame');
      expect((await read()).frame?.bytes?.toString()).toBe(value);
    }
  });

  it('with other bytes counts as changed when it was captured', async () => {
    const { store, read } = await storeParts();
    await store('a', { startedAgoMs: 9000, capturedAgoMs: 8000 });
    await store('b', { startedAgoMs: 2000, capturedAgoMs: 1000 });
    const frame = (await read()).frame;
    expect(frame?.changedAtMs).toBe(frame?.capturedAtMs);
  });

  it('from before the clock was set back is replaced', async () => {
    const { client, keys, store, read } = await storeParts();
    await store('before');
    const futureMs = Date.now() + 3_600_000;
    await client.hSet(keys.frame(cameraId), { startedAt: futureMs, capturedAt: futureMs });
    expect((await read()).frame).toMatchObject({ startedAgoMs: 0, capturedAgoMs: 0 });
    expect(await store('after')).toBe('frame');
    expect(String((await read()).frame?.bytes)).toBe('after');
  });

  it('lives for the given time, and again when it is renewed', async () => {
    const { client, keys, store } = await storeParts();
    const leftMs = () => client.pTTL(keys.frame(cameraId));
    await store('a', { ...testStorage(1_000_000.5), startedAgoMs: 9000 });
    expect(await leftMs()).toBeGreaterThan(STALE_FOR_MS);
    await store('a', { startedAgoMs: 5000 });
    expect(await leftMs()).toBeLessThanOrEqual(STALE_FOR_MS);
    expect(await leftMs()).toBeGreaterThan(STALE_FOR_MS - 10_000);
  });

  it('comes without its bytes only for a reader that has them', async () => {
    const { store, read } = await storeParts();
    await store('a');
    const { frame } = await read(etagOf(Buffer.from('a')));
    expect(frame).toMatchObject({ etag: etagOf(Buffer.from('a')), contentType: 'image/jpeg' });
    expect(frame).not.toHaveProperty('bytes');
    expect((await read('"other"')).frame?.bytes).toEqual(Buffer.from('a'));
  });

  it('is stored and read by a Redis that has lost the scripts', async () => {
    const { client, store, read } = await storeParts();
    await store('a', { startedAgoMs: 5000 });
    await client.scriptFlush();
    expect(String((await read()).frame?.bytes)).toBe('a');
    await client.scriptFlush();
    expect(await store('b')).toBe('frame');
  });
});

describe('a failure', () => {
  it('is remembered beside the frame for the given time', async () => {
    const { client, keys, store, fail, read } = await storeParts();
    await store('a');
    await fail(30_000.2);
    const { frame, failure } = await read();
    expect(String(frame?.bytes)).toBe('a');
    expect(failure).toEqual({ status: 504, reason: 'late', nextMs: expect.any(Number) });
    expect(failure?.nextMs).toBeLessThanOrEqual(30_001);
    expect(failure?.nextMs).toBeGreaterThan(20_000);
    expect(await client.pTTL(keys.failure(cameraId))).toBeGreaterThan(20_000);
  });

  it('ends when its time is up', async () => {
    const { fail, read } = await storeParts();
    await fail(-5);
    await expect.poll(async () => (await read()).failure).toBeUndefined();
  });

  it.each([
    ['a new frame', 'b', 'frame'],
    ['the same frame again', 'a', 'unchanged'],
  ])('is cleared by %s', async (_, text, outcome) => {
    const { store, fail, read } = await storeParts();
    await store('a', { startedAgoMs: 5000 });
    await fail(30_000);
    expect(await store(text)).toBe(outcome);
    expect((await read()).failure).toBeUndefined();
  });

  it('stays when an older frame arrives', async () => {
    const { store, fail, read } = await storeParts();
    await store('a');
    await fail(30_000);
    expect(await store('late', { startedAgoMs: 60_000 })).toBe('older');
    expect((await read()).failure).toMatchObject({ status: 504 });
  });

  it('is ignored if it cannot be read', async () => {
    const { client, keys, read } = await storeParts();
    await client.set(keys.failure(cameraId), 'garbage');
    expect(await read()).toEqual({ nowMs: expect.any(Number), facts: {} });
  });
});

describe('the announcement of a stored frame or failure', () => {
  it('has the kind and the times, but never the bytes', async () => {
    const { store, fail, listen } = await storeParts();
    const heard = await listen();
    await store('bytes', { startedAgoMs: 9000.4, capturedAgoMs: 8000 });
    await store('bytes', { startedAgoMs: 4000, capturedAgoMs: -3 });
    await store('late', { startedAgoMs: 60_000 });
    await fail(1000);
    await store('other');
    const news = { v: 1, cameraId, etag: etagOf(Buffer.from('bytes')), nextMs: 4000 };
    await expect
      .poll(() => heard)
      .toMatchObject([
        { ...news, kind: 'frame', startedAgoMs: 9000, capturedAgoMs: 8000 },
        { ...news, kind: 'unchanged', startedAgoMs: 4000, capturedAgoMs: 0 },
        { v: 1, kind: 'failure', cameraId, status: 504, reason: 'late', nextMs: 7000 },
        expect.objectContaining({ kind: 'frame', etag: etagOf(Buffer.from('other')) }),
      ]);
  });

  it('comes in the same step: its subscribers find the frame', async () => {
    const { client, keys, store } = await storeParts();
    const found = Promise.withResolvers<unknown>();
    const subscriber = client.duplicate();
    await subscriber.connect();
    onTestFinished(() => subscriber.destroy());
    await subscriber.subscribe(keys.channel(''), () => {
      readCamera(client, keys, cameraId).then(found.resolve, found.reject);
    });
    void store('a');
    expect(await found.promise).toMatchObject({ frame: { bytes: Buffer.from('a') } });
  });
});

describe('a frame with validators from its camera', () => {
  const validators = { etag: 'W/"theirs"', lastModified: 'Tue, 22 Sep 2026 10:00:00 GMT' };

  async function knownParts() {
    const parts = await storeParts();
    const { client, keys, store } = parts;
    await store('picture', { startedAgoMs: 9000, capturedAgoMs: 8000, validators });
    const known = await readKnownFrame(client, keys, cameraId);
    const renew = (over: { startedAgoMs?: number } = {}) =>
      renewFrame(client, keys, {
        cameraId,
        known: known ?? { etag: '', validators: {} },
        startedAgoMs: 2000,
        capturedAgoMs: 1000,
        nextMs: 3000,
        ...testStorage(STALE_FOR_MS),
        ...over,
      });
    return { ...parts, known, renew };
  }

  it('is known by them', async () => {
    const { known } = await knownParts();
    expect(known).toEqual({ etag: etagOf(Buffer.from('picture')), validators });
  });

  it('becomes younger when they still match: no bytes, no new frame, failure cleared', async () => {
    const { renew, read, listen, fail, known } = await knownParts();
    await fail(10_000);
    const before = (await read()).frame;
    const heard = await listen();
    expect(await renew()).toBe('unchanged');
    const { frame, failure } = await read();
    expect(failure).toBeUndefined();
    expect(String(frame?.bytes)).toBe('picture');
    expect(frame?.changedAtMs).toBe(before?.changedAtMs);
    expect((frame?.capturedAtMs ?? 0) - (before?.capturedAtMs ?? 0)).toBeGreaterThan(6000);
    await expect.poll(() => heard.length).toBe(1);
    expect(heard).toMatchObject([{ kind: 'unchanged', etag: known?.etag, nextMs: 3000 }]);
  });

  it.each([
    [
      'is gone',
      (parts: Awaited<ReturnType<typeof knownParts>>) =>
        parts.client.del(parts.keys.frame(cameraId)),
    ],
    ['was replaced', (parts: Awaited<ReturnType<typeof knownParts>>) => parts.store('other')],
  ])('is neither renewed nor created when it %s', async (_, change) => {
    const parts = await knownParts();
    await change(parts);
    const before = await parts.client.hGetAll(parts.keys.frame(cameraId));
    expect(await parts.renew()).toBe('missing');
    expect(await parts.client.hGetAll(parts.keys.frame(cameraId))).toEqual(before);
  });

  it('is not made older', async () => {
    const { renew } = await knownParts();
    expect(await renew({ startedAgoMs: 60_000 })).toBe('older');
  });

  it('is not known when these bytes came without validators, even from an older worker', async () => {
    const { client, keys, store } = await knownParts();
    await store('next', { startedAgoMs: 1000 });
    expect(await readKnownFrame(client, keys, cameraId)).toBeUndefined();
    await store('last', { validators });
    // An older worker replaces the bytes and leaves the validators.
    await client.hSet(keys.frame(cameraId), 'etag', '"of-other-bytes"');
    expect(await readKnownFrame(client, keys, cameraId)).toBeUndefined();
  });
});

describe('a purge', () => {
  it('that is hard removes frame and failure, and returns what there was', async () => {
    const { link, keys, store, fail, read, listen } = await storeParts();
    await store('bad');
    await fail(5000);
    const heard = await listen();
    const purged = await purge(link, keys, 'hard');
    expect(purged).toMatchObject({ cameraId, mode: 'hard', frame: true, failure: true });
    expect(await read()).toEqual({ nowMs: expect.any(Number), facts: {} });
    expect(await purge(link, keys, 'hard')).toMatchObject({ frame: false, failure: false });
    const { purgedAtMs } = purged;
    await expect
      .poll(() => heard[0])
      .toEqual({ v: 1, kind: 'purge', cameraId, mode: 'hard', purgedAtMs });
  });

  it('that is soft removes nothing', async () => {
    const { link, keys, store, read } = await storeParts();
    await store('good');
    expect(await purge(link, keys, 'soft')).toMatchObject({ frame: true, failure: false });
    expect(String((await read()).frame?.bytes)).toBe('good');
    expect(await store('next', { startedAgoMs: 0 })).toBe('frame');
  });

  it('that is hard rejects the frame of a call that was under way, but no later one', async () => {
    const { link, keys, store, read, listen } = await storeParts();
    await purge(link, keys, 'hard');
    const heard = await listen();
    expect(await store('from before', { startedAgoMs: 60_000 })).toBe('purged');
    expect(await read()).toEqual({ nowMs: expect.any(Number), facts: {} });
    await expect.poll(() => store('from after')).toBe('frame');
    // An announcement of the earlier frame would come first.
    const etag = etagOf(Buffer.from('from after'));
    await expect.poll(() => heard).toMatchObject([{ kind: 'frame', etag }]);
  });

  it('from before the clock was set back rejects nothing', async () => {
    const { client, keys, store } = await storeParts();
    await client.set(keys.purged(cameraId), String(Date.now() + 3_600_000));
    expect(await store('good')).toBe('frame');
  });

  it('is listed for processes that missed it while an earlier frame may be around', async () => {
    const { link, client, keys } = await storeParts();
    const brief = { cameraId, mode: 'hard', staleForMs: 1 } as const;
    await purgeCamera(link, keys, brief);
    const soft = await purge(link, keys, 'soft');
    await client.zAdd(keys.purges(cameraId), { score: Number.MAX_SAFE_INTEGER, value: 'garbage' });
    const { purgedAtMs } = soft;
    await expect
      .poll(async () => {
        await purgeCamera(link, keys, brief); // each purge removes expired entries
        return (await readPurges(link, keys)).filter(({ mode }) => mode === 'soft');
      })
      .toEqual([{ cameraId, mode: 'soft', purgedAtMs }]);
    expect((await readPurges(link, keys)).length).toBeLessThanOrEqual(3);
    expect(await client.pTTL(keys.purged(cameraId))).toBeLessThanOrEqual(1);
  });
});

const purge = (frames: RedisLink, keys: Keys, mode: PurgeMode) =>
  purgeCamera(frames, keys, { cameraId, mode, staleForMs: STALE_FOR_MS });
