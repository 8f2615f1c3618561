import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';

const TOKEN = 'admin-token-of-the-tests';
const INTERVAL_MS = 300_000;
/** Enough for a few messages between processes on a busy machine. */
const SOON = { timeout: 30_000 };
/** A pod must first notice that its connections are dead, then reconnect. */
const AFTER_A_CUT = { timeout: 40_000 };

let fleet: Fleet;
let all: Api[];
let proxy: TcpProxy;
let first: Api;
let second: Api;
/** Reaches Redis only through the proxy. */
let remote: Api;

beforeAll(async () => {
  const env = { ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'debug', UPSTREAM_TIMEOUT: '30s' };
  fleet = await startFleet({ intervalMs: INTERVAL_MS, env });
  proxy = await startTcpProxy(fleet.redis.port);
  first = fleet.apis[0] as Api;
  second = await fleet.startApi();
  remote = await fleet.startApi({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
  all = [first, second, remote];
});

afterAll(async () => {
  await fleet.checkAndStop();
  await proxy.close();
  expect(fleet.apis.flatMap((api) => [...api.undocumented])).toEqual([]);
});

describe('refresh', () => {
  it('requested on all api processes at once calls the camera once, and all serve its frame', async () => {
    const camera = fleet.slow.camera('refreshed');
    const answers = await Promise.all(all.map((api) => post(api, 'refresh', camera)));
    for (const { status, body } of answers) {
      expect(status).toBe(202);
      expect(body).toMatchObject({ outcome: 'asked' });
    }
    for (const api of all) await expect.poll(() => statusOf(api, camera), SOON).toBe(200);

    const again = await post(second, 'refresh', camera);
    expect(again.body).toMatchObject({ outcome: 'fresh', callableInMs: expect.any(Number) });
    expect(again.body.callableInMs).toBeGreaterThan(0);
    expect(again.body.callableInMs).toBeLessThanOrEqual(INTERVAL_MS * 1.001 + 10);
    expect(await callsTo(camera)).toHaveLength(1);
  });
});

describe('a soft purge', () => {
  it('keeps the frame on every api process, and calls no camera before the interval is over', async () => {
    const camera = fleet.slow.camera('doubtful');
    const etag = await warmOn([first], camera);
    await warmOn([second, remote], camera);
    const { status, body } = await post(first, 'purge', camera);
    expect([status, body.mode, body.frame]).toEqual([200, 'soft', true]);
    for (const api of [second, remote]) {
      await expect.poll(() => isLogged(api, 'frame purged', body.cameraId), SOON).toBe(true);
      const answer = await api.image(camera);
      expect([answer.status, answer.headers.get('etag')]).toEqual([200, etag]);
    }
    expect(await callsTo(camera)).toHaveLength(1);
  });

  it('reaches an api process that starts later', async () => {
    const camera = fleet.slow.camera('doubtful-too');
    await warmOn([first], camera);
    const { cameraId } = (await post(first, 'purge', camera)).body;
    const late = await fleet.startApi();
    expect(await statusOf(late, camera)).toBe(200);
    await expect.poll(() => refreshRequestsOf(late, cameraId), SOON).toBeGreaterThan(0);
    await late.end();
  });
});

describe('a hard purge', () => {
  it('removes the frame from the store and from all api processes', async () => {
    const camera = fleet.slow.camera('wrong');
    await warmOn(all, camera);
    const { status, body } = await post(first, 'purge', camera, { hard: '1' });
    expect([status, body.mode, body.frame]).toEqual([200, 'hard', true]);
    for (const api of all) await expect.poll(() => statusOf(api, camera), SOON).toBe(503);
    const key = `${fleet.redisPrefix}:frame:{${body.cameraId}}`;
    expect(await fleet.redis.command('EXISTS', key)).toBe(0);
    // A refresh is requested, but the interval is not over.
    expect(await callsTo(camera)).toHaveLength(1);
  });

  it('takes effect for good on an api process that was cut off, once it reconnects', async () => {
    const [wrong, good] = [fleet.slow.camera('wrong-too'), fleet.slow.camera('good')];
    await warmOn([remote], wrong);
    await warmOn([remote], good);
    proxy.blackHole();
    const { cameraId } = (await post(first, 'purge', wrong, { hard: '1' })).body;
    expect(await statusOf(first, wrong)).toBe(503);
    // It cannot know, and it serves what it has however much behind it is down.
    expect(await statusOf(remote, wrong)).toBe(200);
    proxy.heal();
    await expect.poll(() => isLogged(remote, 'frame purged', cameraId), AFTER_A_CUT).toBe(true);
    for (let times = 0; times < 20; times += 1) expect(await statusOf(remote, wrong)).toBe(503);
    expect(await statusOf(remote, good)).toBe(200);
  });

  it('discards the frame of a call in flight', async () => {
    const camera = fleet.slow.camera('under-way', { delay: '5s' });
    await post(first, 'refresh', camera);
    await expect.poll(async () => (await callsTo(camera)).length, SOON).toBe(1);
    const { cameraId } = (await post(second, 'purge', camera, { hard: '1' })).body;
    const [worker] = fleet.workers;
    await expect
      .poll(
        () => worker?.logs.find((line) => line.cameraId === cameraId && line.msg === 'refresh'),
        SOON,
      )
      .toMatchObject({ outcome: 'overtaken' });
    for (const api of all) expect(await statusOf(api, camera)).toBe(503);
  });
});

interface AdminResult {
  cameraId: string;
  outcome?: string;
  callableInMs?: number;
  mode?: string;
  frame?: boolean;
}

async function post(api: Api, action: string, camera: string, more: Record<string, string> = {}) {
  const answer = await fetch(`${api.opsUrl}/${action}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}` },
    body: new URLSearchParams({ url: camera, ...more }),
  });
  return { status: answer.status, body: (await answer.json()) as AdminResult };
}

/** Returns the status of a request that does not wait for a first frame. */
async function statusOf(api: Api, camera: string): Promise<number> {
  const answer = await api.image(camera, { headers: { Prefer: 'respond-async' } });
  await answer.arrayBuffer();
  return answer.status;
}

/** Waits until all have the camera's first frame. Returns its ETag. */
async function warmOn(apis: readonly Api[], camera: string): Promise<string | null> {
  const answers = await Promise.all(apis.map((api) => api.image(camera)));
  expect(answers.map(({ status }) => status)).toEqual(apis.map(() => 200));
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers[0]?.headers.get('etag') ?? null;
}

const isLogged = (api: Api, msg: string, cameraId: string) =>
  api.logs.some((line) => line.msg === msg && line.cameraId === cameraId);

const refreshRequestsOf = (api: Api, cameraId: string) =>
  api.logs.filter((line) => line.msg === 'refresh requested' && line.cameraId === cameraId).length;

async function callsTo(camera: string) {
  return (await fleet.slow.calls()).filter(({ url }) => url === camera);
}
