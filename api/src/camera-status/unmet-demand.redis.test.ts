import { healthOf } from '@lastframe/shared/cameras/camera-health';
import { makeRules } from '@lastframe/shared/cameras/rules';
import { readCamera, storeFrame } from '@lastframe/shared/frames/frame-store';
import { etagOf } from '@lastframe/shared/http/etag';
import { createFramesClock } from '@lastframe/shared/redis/redis-clock';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { expect, it, vi } from 'vitest';
import { sharedRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testStorage } from '../../../testing/test-camera.ts';
import { createMemoryCache } from '../cache/memory-cache.ts';
import { createPresence } from '../demand/presence.ts';
import { heldFrame } from '../test-support/parts.ts';
import { createCameraList } from './camera-list.ts';
import { createUnmetDemand } from './unmet-demand.ts';

const camera = testCamera('a');
const { cameraId, source } = camera;

/** An api process whose clock the test controls. */
async function processParts() {
  const { link, keys } = await sharedRedis();
  const clock = { monoMs: () => now.ms, wallMs: () => Date.now(), sleep: async () => {} };
  const now = { ms: Math.round(performance.now()) };
  const memory = createMemoryCache(1024 ** 2);
  const presence = createPresence({ clock, memory });
  const run = vi.fn(link.run);
  const named = { name: 'a', title: 'A', keepWarm: false, camera };
  const rules = () => makeRules([source], [named]);
  const deps = { clock, memory, presence, rules, frames: { run: run as RedisLink['run'] }, keys };
  const recordUnmet = createUnmetDemand(deps);
  const list = createCameraList({ ...deps, framesClock: createFramesClock(clock) });
  const { client } = link;
  const health = async () => {
    const { facts, nowMs } = await readCamera(client, keys, cameraId);
    return healthOf(facts, source, nowMs).health;
  };
  return { client, keys, now, memory, presence, run, recordUnmet, list, health };
}

it('writes nothing for a camera that is not requested or that gets frames', async () => {
  const { presence, memory, run, recordUnmet, now } = await processParts();
  await recordUnmet();
  presence.enter(camera);
  memory.set(cameraId, heldFrame(camera, { startedMonoMs: now.ms, capturedMonoMs: now.ms }));
  now.ms += 9000;
  await recordUnmet();
  expect(run).not.toHaveBeenCalled();
});

it('records unmet demand and its start every few seconds, until the viewer leaves', async () => {
  const { presence, run, recordUnmet, now, health } = await processParts();
  const leave = presence.enter(camera);
  await recordUnmet();
  expect(await health()).toBe('idle'); // the viewer has only just arrived
  for (let seconds = 0; seconds < 40; seconds += 1) {
    now.ms += 1000;
    await recordUnmet();
  }
  expect(await health()).toBe('late');
  expect(run.mock.calls.length).toBe(11);
  leave();
  now.ms += 60_000;
  await recordUnmet();
  expect(run.mock.calls.length).toBe(11);
});

it('the list has every named camera with its health; concurrent callers share a read', async () => {
  const { client, keys, list, run } = await processParts();
  const bytes = Buffer.from('picture');
  const dimensions = { width: 640, height: 360 };
  const times = { startedAgoMs: 3000, capturedAgoMs: 1000, nextMs: 0, ...testStorage(60_000) };
  const frame = { cameraId, bytes, contentType: 'image/jpeg', etag: etagOf(bytes), dimensions };
  await storeFrame(client, keys, { ...frame, ...times });
  const [[listed]] = await Promise.all([list.read(), list.read()]);
  expect(run).toHaveBeenCalledOnce();
  expect(listed).toMatchObject({
    named: { name: 'a' },
    state: { frame: { sizeBytes: 7, dimensions }, health: { health: 'live' } },
    lateAfterMs: 12_000,
  });
  expect(await list.countByHealth()).toMatchObject({ live: 1, idle: 0 });
});

it('the list uses memory while the store is unavailable', async () => {
  const { list, memory, run } = await processParts();
  run.mockRejectedValue(new Error('away'));
  const atMs = Date.now();
  const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
  memory.set(cameraId, heldFrame(camera, times));
  const [listed] = await list.read();
  expect(listed?.state.health.health).toBe('live');
});
