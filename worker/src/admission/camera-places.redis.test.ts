import { randomUUID } from 'node:crypto';
import type { Source } from '@lastframe/shared/cameras/source';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { describe, expect, it, vi } from 'vitest';
import { sharedRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { fakeClock } from '../test-support/fake-clock.ts';
import { createCameraPlaces } from './camera-places.ts';

async function placesParts(differences: Partial<Source> = {}, wire?: Pick<RedisLink, 'run'>) {
  const { link, keys } = await sharedRedis();
  const { client } = link;
  const source = testSource({ maxCameras: 2, ...differences });
  const clock = fakeClock();
  let full = false;
  const log = { warn: vi.fn() };
  const run = vi.fn(link.run);
  /** One worker; each remembers the shared places on its own. */
  const worker = () =>
    createCameraPlaces({
      clock,
      redis: wire ?? ({ run } as never),
      frames: link,
      keys,
      log,
      isMemoryFull: () => full,
    });
  const cameraOf = (name: string) => testCamera(`http://camera.test/${name}`, source);
  const places = worker();
  const admit = async (name: string, by = places) => (await by.admit(cameraOf(name))).outcome;
  /** Makes the camera idle, as if not requested for so long. */
  const idle = async (name: string, ms = 1) => {
    const [seconds, micros] = (await client.sendCommand(['TIME'])) as [string, string];
    const score = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - ms;
    await client.zAdd(keys.places(source.name), { score, value: cameraOf(name).cameraId });
  };
  const held = () => client.zCard(keys.places(source.name));
  const setFull = (is: boolean) => {
    full = is;
  };
  return {
    client,
    keys,
    source,
    clock,
    log,
    run,
    worker,
    cameraOf,
    places,
    admit,
    idle,
    held,
    setFull,
  };
}

describe('a new camera', () => {
  it('gets a place while its source has one, else the time until one may be free', async () => {
    const { places, admit, cameraOf, held } = await placesParts();
    expect([await admit('a'), await admit('b'), await admit('c')]).toEqual([
      'admitted',
      'admitted',
      'rejected',
    ]);
    expect(await places.admit(cameraOf('c'))).toEqual({
      outcome: 'rejected',
      reason: 'places',
      waitMs: 60_000,
    });
    expect(await held()).toBe(2);
  });

  it('replaces the camera idle for longest, whose frame is deleted', async () => {
    const { client, keys, admit, idle, cameraOf, held } = await placesParts();
    await admit('a');
    await admit('b');
    await idle('a', 1000);
    await idle('b', 5000);
    const frames = ['a', 'b'].map((name) => keys.frame(cameraOf(name).cameraId));
    for (const frame of frames) await client.hSet(frame, 'bytes', 'x');
    expect(await admit('c')).toBe('admitted');
    expect(await held()).toBe(2);
    await expect
      .poll(() => Promise.all(frames.map((frame) => client.exists(frame))))
      .toEqual([1, 0]);
  });

  it('is rejected while Redis has no memory, despite free places; known ones are not', async () => {
    const { places, admit, cameraOf, setFull, worker } = await placesParts();
    await admit('a');
    setFull(true);
    expect(await admit('a', worker())).toBe('admitted');
    expect(await places.admit(cameraOf('b'))).toMatchObject({ reason: 'memory', waitMs: 10_000 });
    setFull(false);
    expect(await admit('b')).toBe('admitted');
  });

  it('does not take a place of another source', async () => {
    const { admit, keys, client } = await placesParts();
    await admit('a');
    await admit('b');
    const other = testCamera('http://camera.test/x', testSource({ maxCameras: 2 }));
    const { places } = await placesParts();
    expect(await places.admit(other)).toEqual({ outcome: 'admitted' });
    expect(await client.exists(keys.places(other.source.name))).toBe(0);
  });

  it('is always admitted where there is no limit', async () => {
    const { admit } = await placesParts({ maxCameras: 0 });
    for (const name of ['a', 'b', 'c', 'd']) expect(await admit(name)).toBe('admitted');
  });

  it('gets a place soon even if the clock was set back since the others got theirs', async () => {
    const { admit, idle } = await placesParts({ staleForMs: 1000, unnamedStaleForMs: 1000 });
    await admit('a');
    await admit('b');
    await idle('a', -3_600_000);
    await idle('b', -3_600_000);
    expect(await admit('c')).toBe('rejected');
    await idle('a');
    expect(await admit('c')).toBe('admitted');
  });
});

describe('a camera that has a place', () => {
  it('costs no script if its place was renewed lately', async () => {
    const { admit, run, clock } = await placesParts();
    await admit('a');
    clock.advance(59_000);
    await admit('a');
    expect(run).toHaveBeenCalledTimes(1);
    clock.advance(2000);
    await admit('a');
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('keeps it while others crowd in', async () => {
    const { admit, clock } = await placesParts();
    await admit('watched');
    for (let n = 0; n < 20; n += 1) {
      await admit(`new-${n}`);
      clock.advance(40_000);
      expect(await admit('watched')).toBe('admitted');
    }
  });

  it('frees its place when it leaves', async () => {
    const { places, admit, cameraOf } = await placesParts({ maxCameras: 1 });
    await admit('a');
    await places.releasePlace(cameraOf('a'));
    expect(await admit('b')).toBe('admitted');
    expect(await admit('a')).toBe('rejected');
  });
});

it('named cameras need no place', async () => {
  const { places, cameraOf, run, setFull, held } = await placesParts({ maxCameras: 1 });
  setFull(true);
  for (const name of ['a', 'b']) {
    expect(await places.admit({ ...cameraOf(name), name })).toEqual({ outcome: 'admitted' });
    await places.releasePlace({ ...cameraOf(name), name });
  }
  expect([run.mock.calls.length, await held()]).toEqual([0, 0]);
});

it('a camera is not admitted unless Redis confirms it', async () => {
  const run = async () => {
    throw new Error('away');
  };
  const { places, cameraOf } = await placesParts({}, { run });
  expect(await places.admit(cameraOf('a'))).toEqual({ outcome: 'unknown', reason: 'away' });
});

it('a source that rejects thousands of cameras is logged once a minute', async () => {
  const { admit, log, clock, source } = await placesParts({ maxCameras: 1 });
  for (let n = 0; n < 100; n += 1) await admit(`camera-${n}`);
  expect(log.warn).toHaveBeenCalledExactlyOnceWith(
    { source: source.name, maxCameras: 1 },
    expect.stringContaining('maxCameras'),
  );
  clock.advance(60_001);
  await admit('another');
  expect(log.warn).toHaveBeenCalledTimes(2);
});

describe('eviction', () => {
  it('forgets only idle cameras, the longest idle first, a few at a time', async () => {
    const { client, keys, source, places, idle, admit, cameraOf, held, worker } = await placesParts(
      { maxCameras: 0 },
    );
    for (let n = 0; n < 70; n += 1) await idle(`idle-${n}`, 60_000 * (1 + n));
    await admit('watched');
    const frameOf = (name: string) => keys.frame(cameraOf(name).cameraId);
    for (const name of ['idle-0', 'idle-69', 'watched']) await client.hSet(frameOf(name), 'v', '1');
    await places.evictIdle([source]);
    expect(await held()).toBe(7);
    const left = () =>
      Promise.all(['idle-0', 'idle-69', 'watched'].map((name) => client.exists(frameOf(name))));
    expect(await left()).toEqual([1, 0, 1]);
    // Two workers at once evict different ones.
    await Promise.all([places.evictIdle([source]), worker().evictIdle([source])]);
    expect([await held(), await left()]).toEqual([1, [0, 0, 1]]);
  });

  it('keeps the place of a camera that is next called only much later', async () => {
    const parts = await placesParts({ maxCameras: 9, maxIntervalMs: 600_000 });
    const { client, keys, source, places, worker, admit, cameraOf } = parts;
    for (const name of ['often', 'rarely']) await admit(name);
    await places.keepPlace(cameraOf('often'), 5000);
    await places.keepPlace(cameraOf('rarely'), 600_000);
    // Another worker's job for it changes nothing.
    await worker().admit(cameraOf('rarely'));
    const [often = 0, rarely = 0] = await Promise.all(
      ['often', 'rarely'].map((name) =>
        client.zScore(keys.places(source.name), cameraOf(name).cameraId),
      ),
    ).then((scores) => scores.map(Number));
    expect(rarely - often).toBeGreaterThan(600_000);
  });

  it('lets a camera that has lost its place meanwhile have one again', async () => {
    const { places, admit, idle, held, cameraOf } = await placesParts({ maxIntervalMs: 600_000 });
    await admit('a');
    await admit('b');
    await idle('a');
    await admit('c');
    await idle('b');
    await places.keepPlace(cameraOf('a'), 600_000);
    expect(await held()).toBe(2);
    // `b` was evicted for it, so it needs a new place.
    expect(await admit('b')).toBe('rejected');
  });

  it('fails when Redis is away', async () => {
    const keys = keysFor(randomUUID());
    const run = async () => {
      throw new Error('away');
    };
    const places = createCameraPlaces({
      clock: fakeClock(),
      redis: { run },
      frames: { run },
      keys,
      log: { warn: vi.fn() },
      isMemoryFull: () => true,
    });
    await expect(places.evictIdle([testSource()])).rejects.toThrow('away');
  });
});
