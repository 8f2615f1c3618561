import { afterEach, expect, it } from 'vitest';
import type { Child, LogLine } from '../../testing/fleet/child.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';

const SOON = { timeout: 30_000 };
/** On a busy machine a process may lose its connection and reconnect at any time. */
const isAboutRedis = ({ msg }: LogLine) => /redis/i.test(String(msg));

let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

it('logs each step from request to frame under the id of the camera, in api and worker', async () => {
  fleet = await startFleet({ apis: 2, intervalMs: 60_000, env: { LOG_LEVEL: 'debug' } });
  const [api] = fleet.apis as [Api];
  const worker = fleet.workers[0] as Child;
  const camera = fleet.slow.camera('followed', { token: 'planted' });
  await (await api.image(camera)).arrayBuffer();
  await (await api.image(fleet.slow.camera('another'))).arrayBuffer();

  const requestLine = await api.waitForLog('refresh requested');
  const { cameraId, jobId } = requestLine;
  const linesOf = ({ logs }: Child) => logs.filter((line) => line.cameraId === cameraId);
  const message = ({ msg, outcome, news, stored }: LogLine) =>
    [msg, outcome ?? news ?? stored].filter(Boolean).join(': ');
  await expect
    .poll(() => linesOf(worker).map(message), SOON)
    .toEqual([
      'permit: granted',
      'connect: connected',
      'call: captured',
      'store: frame',
      'refresh: captured',
    ]);
  // A waiting request polls for the frame every second.
  const isFirstRead = (text: string, n: number, all: string[]) =>
    text !== 'frame read' || all.indexOf(text) === n;
  await expect
    .poll(() => linesOf(api).map(message).filter(isFirstRead).toSorted(), SOON)
    .toEqual(
      [
        'refresh requested',
        'announcement received: started',
        'announcement received: frame',
        'frame read',
        'request',
      ].toSorted(),
    );
  expect(String(jobId)).toMatch(new RegExp(`^${cameraId}-\\d+$`));
  expect(linesOf(worker).at(-1)).toMatchObject({ msg: 'refresh', jobId, part: 'worker' });
  expect(linesOf(api).find(({ msg }) => msg === 'request')).toMatchObject({
    level: 'debug',
    part: 'api',
    route: '/images',
    status: 200,
    ms: expect.any(Number),
  });
  const all = [...fleet.apis, ...fleet.workers].flatMap(({ logs }) => logs);
  expect(JSON.stringify(all)).not.toMatch(/planted|http:/);
});

it('logs nothing at info for a thousand requests and their refreshes', async () => {
  fleet = await startFleet({ apis: 1, intervalMs: 250 });
  const [api] = fleet.apis as [Api];
  const worker = fleet.workers[0] as Child;
  const camera = fleet.slow.camera('busy');
  await (await api.image(camera)).arrayBuffer();
  const lines = () => [api, worker].map(({ logs }) => logs.filter((line) => !isAboutRedis(line)));
  const before = lines();
  const callsBefore = (await fleet.slow.calls()).length;
  let requests = 0;
  await expect
    .poll(async () => {
      const answers = Array.from({ length: 100 }, () => api.image(camera));
      for (const answer of await Promise.all(answers)) {
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
        requests += 1;
      }
      return Math.min(requests / 100, (await fleet.slow.calls()).length - callsBefore);
    }, SOON)
    .toBeGreaterThanOrEqual(10);
  expect(lines()).toEqual(before);
});

it('logs one line when a camera starts failing and one when it recovers, across workers', async () => {
  fleet = await startFleet({ workers: 2, intervalMs: 250 });
  const [api] = fleet.apis as [Api];
  const camera = fleet.slow.camera('shaky');
  const lines = () =>
    fleet.workers
      .flatMap(({ logs }) => logs)
      .filter((line) => !isAboutRedis(line) && line.msg !== 'listening')
      .toSorted((a, b) => String(a.time).localeCompare(String(b.time)))
      .map(({ level, msg, reason }) => [level, msg, reason]);
  const calls = async () => {
    expect((await api.image(camera)).status).toBe(200);
    return (await fleet.slow.calls()).filter(({ status }) => status === 500).length;
  };
  const failing = ['warn', 'camera failing', 'the camera responded with 500'];
  const live = ['info', 'camera live again', undefined];

  expect(await calls()).toBe(0);
  await fleet.slow.setBehaviour('shaky', { status: '500' });
  await expect.poll(calls, SOON).toBeGreaterThanOrEqual(3);
  await expect.poll(lines, SOON).toEqual([failing]);
  await fleet.slow.setBehaviour('shaky');
  await expect.poll(async () => [await calls(), lines()][1], SOON).toEqual([failing, live]);
});

it('logs twenty lines a minute for failing made-up cameras, however many there are', async () => {
  fleet = await startFleet({ intervalMs: 60_000, env: { COLD_WAIT: '30s' } });
  const [api] = fleet.apis as [Api];
  const worker = fleet.workers[0] as Child;
  const cameras = Array.from({ length: 100 }, (_, n) =>
    fleet.slow.camera(`no-${n}`, { status: '404' }),
  );
  const answers = await Promise.all(cameras.map((camera) => api.image(camera)));
  expect(answers.map(({ status }) => status)).toEqual(cameras.map(() => 502));
  const failing = () => worker.logs.filter(({ msg }) => msg === 'camera failing').length;
  await expect.poll(failing, SOON).toBeGreaterThanOrEqual(20);
  // The calls may span two minutes, each with twenty lines.
  expect(failing()).toBeLessThanOrEqual(40);
});
