import { healthOf } from '@lastframe/shared/cameras/camera-health';
import { makeRules } from '@lastframe/shared/cameras/rules';
import { etagOf } from '@lastframe/shared/frames/frame';
import { readCamera, storeFrame } from '@lastframe/shared/frames/frame-store';
import { createFramesClock } from '@lastframe/shared/redis/redis-clock';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { sharedRedis } from '../../../testing/test-redis.ts';
import { createMemoryCache } from '../cache/memory-cache.ts';
import { createPresence } from '../demand/presence.ts';
import { heldFrame } from '../test-support/parts.ts';
import { createCameraList } from './camera-list.ts';
import { createUnmetDemand } from './unmet-demand.ts';

const camera = testCamera('a');
const { cameraId, source } = camera;

/** An api process: its clock goes as the test says. */
async function processParts() {
  const { link, keys } = await sharedRedis();
  const clock = { monoMs: () => now.ms, wallMs: () => Date.now(), sleep: async () => {} };
  const now = { ms: Math.round(performance.now()) };
  const memory = createMemoryCache(1024 ** 2);
  const viewers = createPresence({ clock, memory });
  const run = vi.fn(link.run);
  const named = { name: 'a', title: 'A', keepWarm: false, camera };
  const rules = () => makeRules([source], [named]);
  const deps = { clock, memory, viewers, rules, frames: { run: run as RedisLink['run'] }, keys };
  const look = createUnmetDemand(deps);
  const list = createCameraList({ ...deps, framesClock: createFramesClock(clock) });
  const { client } = link;
  const health = async () => {
    const { facts, nowMs } = await readCamera(client, keys, cameraId);
    return healthOf(facts, source, nowMs).health;
  };
  return { client, keys, now, memory, viewers, run, look, list, health };
}

it('nothing is noted of a camera that nobody asks for, or whose frames come', async () => {
  const { viewers, memory, run, look, now } = await processParts();
  await look();
  viewers.enter(camera);
  memory.set(cameraId, heldFrame(camera, { startedMonoMs: now.ms, capturedMonoMs: now.ms }));
  now.ms += 9000;
  await look();
  expect(run).not.toHaveBeenCalled();
});

it('who asks in vain is noted now and then, since when he asks, until he goes', async () => {
  const { viewers, run, look, now, health } = await processParts();
  const leave = viewers.enter(camera);
  await look();
  expect(await health()).toBe('idle'); // he has only come
  for (let seconds = 0; seconds < 40; seconds += 1) {
    now.ms += 1000;
    await look();
  }
  expect(await health()).toBe('late');
  expect(run.mock.calls.length).toBe(11);
  leave();
  now.ms += 60_000;
  await look();
  expect(run.mock.calls.length).toBe(11);
});

it('the list has every named camera with its health, by one read however many ask', async () => {
  const { client, keys, list, run } = await processParts();
  const bytes = Buffer.from('picture');
  const dimensions = { width: 640, height: 360 };
  const times = { startedAgoMs: 3000, capturedAgoMs: 1000, nextMs: 0, staleForMs: 60_000 };
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

it('the list says what memory knows, while the store is away', async () => {
  const { list, memory, run } = await processParts();
  run.mockRejectedValue(new Error('away'));
  const atMs = Date.now();
  const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
  memory.set(cameraId, heldFrame(camera, times));
  const [listed] = await list.read();
  expect(listed?.state.health.health).toBe('live');
});
