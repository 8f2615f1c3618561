import { randomBytes } from 'node:crypto';
import { cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { sourcesFromPatterns } from '@lastframe/shared/cameras/source';
import { storeFrame } from '@lastframe/shared/frames/frame-store';
import { etagOf } from '@lastframe/shared/http/etag';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { residentMiB } from '../testing/fleet/proc.ts';
import { testDefaults, testStorage } from '../testing/test-camera.ts';

const LIMIT_MIB = 64;
/** What an api process needs besides frames: 210 MiB for Node and code, plus bytes in flight. */
const CONSTANT_MIB = 320;

let fleet: Fleet;
afterEach(async () => {
  await fleet.checkAndStop();
});

describe('memory', () => {
  it('stays within MEMORY_LIMIT plus a constant, however many large frames are requested', async () => {
    fleet = await startFleet({ workers: 0, env: { MEMORY_LIMIT: '64MiB', STALE_FOR: '24h' } });
    const [api] = fleet.apis;
    if (!api) throw new Error('no api');
    const cameras = Array.from({ length: 1000 }, (_, n) => fleet.slow.camera(`large-${n}`));
    await storeLargeFrames(cameras);

    for (let turn = 0; turn < cameras.length; turn += 20) {
      const some = cameras.slice(turn, turn + 20);
      const answers = await Promise.all(some.map((camera) => api.image(camera)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const bodies = await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      expect(bodies.every(({ byteLength }) => byteLength === 500_000)).toBe(true);
    }
    expect(await residentMiB(api.pid)).toBeLessThan(LIMIT_MIB + CONSTANT_MIB);
  });
});

/** Stores half a gigabyte of frames, as a worker would. */
async function storeLargeFrames(cameras: string[]): Promise<void> {
  const client = createClient({ url: fleet.redis.url });
  await client.connect();
  await fleet.redis.command('CONFIG', 'SET', 'appendonly', 'no');
  const keys = keysFor(fleet.redisPrefix);
  for (const url of cameras) {
    const bytes = randomBytes(500_000);
    await storeFrame(client as never, keys, {
      cameraId: cameraOf(parseCameraUrl(url), source()).cameraId,
      bytes,
      contentType: 'image/jpeg',
      etag: etagOf(bytes),
      startedAgoMs: 0,
      capturedAgoMs: 0,
      nextMs: 0,
      ...testStorage(3_600_000),
    });
  }
  client.destroy();
}

function source() {
  const [first] = sourcesFromPatterns(['http://127.0.0.1:*/*'], testDefaults);
  if (!first) throw new Error('no source');
  return first;
}
