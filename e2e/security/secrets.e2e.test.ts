import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { redisContents } from './redis-contents.ts';

const REDIS_PASSWORD = 'planted/redis@pässword';
const QUEUES_PASSWORD = 'planted-queues-password';
const ADMIN_TOKEN = 'planted-admin-token';
/** In the URL of an unnamed camera: its viewers know it, and jobs must carry it. */
const CAMERA_TOKEN = 'planted-camera-token';
const VIEWER_PASSWORD = 'planted-viewer-password';
const AUTHORIZED = {
  Authorization: `Basic ${Buffer.from(`ops:${QUEUES_PASSWORD}`).toString('base64')}`,
};

/** Returns the forms in which a secret may appear. */
const formsOf = (secret: string) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
];
const OURS = [REDIS_PASSWORD, QUEUES_PASSWORD, ADMIN_TOKEN, `ops:${QUEUES_PASSWORD}`].flatMap(
  formsOf,
);
const THEIRS = [CAMERA_TOKEN, VIEWER_PASSWORD].flatMap(formsOf);

let redis: RedisServer;
let fleet: Fleet;
const bodies: string[] = [];
const announced: string[] = [];
let stopListening = () => {};

beforeAll(async () => {
  redis = await startRedis({ password: REDIS_PASSWORD });
  fleet = await startFleet({
    redis,
    env: {
      LOG_LEVEL: 'trace',
      QUEUES_USER: 'ops',
      QUEUES_PASSWORD,
      ADMIN_TOKEN,
      // A hanging camera must be reported before the viewer's wait ends.
      COLD_WAIT: '20s',
      UPSTREAM_TIMEOUT: '4s',
      START_ALLOWANCE: '2s',
    },
  });
  const listener = createClient({ url: redis.url });
  listener.on('error', () => {});
  await listener.connect();
  await listener.pSubscribe('*', (message, channel) => announced.push(`${channel} ${message}`));
  stopListening = () => listener.destroy();
  // The pattern names the source, which is a label in the metrics.
  const hiddenPath = `http://cams.test/${CAMERA_TOKEN}/*`;
  await fleet.startWorker({ ALLOWED_SOURCES: `${fleet.slow.url}/*,${hiddenPath}` });
  await makeTraffic();
});

afterAll(async () => {
  stopListening();
  await fleet?.stop();
});

/** Causes every kind of response: good, failed, late and rejected, with a secret in each URL. */
async function makeTraffic(): Promise<void> {
  const { slow } = fleet;
  const queries: Record<string, string>[] = [
    {},
    { status: '500' },
    { as: 'html' },
    { as: 'cut' },
    { delay: '1m' },
  ];
  const urls = [
    ...queries.map((query, n) => slow.camera(`c${n}`, { ...query, token: CAMERA_TOKEN })),
    `http://127.0.0.1:1/?token=${CAMERA_TOKEN}`,
    `http://user:${VIEWER_PASSWORD}@127.0.0.1/`,
    `http://127.0.0.1:99999/${CAMERA_TOKEN}`,
    `${CAMERA_TOKEN}://x`,
    `http://${CAMERA_TOKEN}.test/`,
    `${slow.url}/image/%?token=${CAMERA_TOKEN}`,
    `${slow.url}/image/${CAMERA_TOKEN.repeat(300)}`,
  ];
  const [api] = fleet.apis;
  const answers = await Promise.all(
    urls.map(async (url) => {
      const answer = await api?.image(url, { headers: AUTHORIZED });
      const body = Buffer.from((await answer?.bytes()) ?? []).toString('latin1');
      bodies.push(`${JSON.stringify([...(answer?.headers ?? [])])} ${body}`);
      return answer?.status;
    }),
  );
  expect(answers.slice(0, 5)).toEqual([200, 502, 502, 502, 504]);
  expect(answers.slice(5).every((status) => status === 400 || status === 403)).toBe(true);
  for (const path of [
    '/',
    `/?url=${CAMERA_TOKEN}`,
    '/wall/main.js',
    '/nothing',
    '/images',
    `/images?url=a&url=${CAMERA_TOKEN}`,
    ...['/', '/images', '/events', '/stream'].flatMap((path) => [
      `${path}?url=http://user:${VIEWER_PASSWORD}@127.0.0.1/x?user=me&pwd=${CAMERA_TOKEN}`,
      `${path}?url=http://127.0.0.1/x?a=1&s=${CAMERA_TOKEN}&b=2`,
      `${path}?url=http://127.0.0.1/x?pwd=a&${CAMERA_TOKEN}&camera=${CAMERA_TOKEN}`,
      `${path}?url=http%3A%2F%2F127.0.0.1%2Fx%3Fa%3D1&amp;tok%65n=${CAMERA_TOKEN}`,
    ]),
    '/cameras',
  ]) {
    bodies.push(await (await fetch(`${api?.url}${path}`, { headers: AUTHORIZED })).text());
  }
  for (const what of ['refresh', 'purge', 'purge?hard=1', 'purge?camera=none']) {
    for (const token of [ADMIN_TOKEN, `${ADMIN_TOKEN}-wrong`]) {
      const answer = await fetch(`${api?.opsUrl}/${what}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: new URLSearchParams({ url: slow.camera('c4', { delay: '1m', token: CAMERA_TOKEN }) }),
      });
      bodies.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    }
  }
  for (const { opsUrl } of [...fleet.apis, ...fleet.workers]) {
    for (const path of ['/livez', '/readyz', '/metrics', '/', '/queues', '/queues/api/queues']) {
      bodies.push(await (await fetch(opsUrl + path)).text());
    }
  }
}

function expectNone(text: string, secrets: readonly string[], what: string): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret);
    const near = at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 100);
    expect(near, `${secret} in ${what}`).toBe('');
  }
}

const logs = () =>
  [...fleet.apis, ...fleet.workers]
    .flatMap((child) => child.logs)
    .map((line) => JSON.stringify(line))
    .join('\n');

describe('planted secrets are', () => {
  it('found where they must be, so that the other tests prove something', async () => {
    const contents = await redisContents(redis.url);
    expect(contents).toContain(`${fleet.redisPrefix}:frame:`);
    expect(contents, 'a job carries the URL of an unnamed camera').toContain(CAMERA_TOKEN);
    expect(announced.length).toBeGreaterThan(4);
    expect(logs()).toContain('"listening"');
    expect(bodies.join(), 'the metrics').toContain('lastframe_requests_total{');
    expect(bodies.join(), 'the metrics').toContain('{source="http://cams.test"}');
    const calls = (await fleet.slow.calls()).map(({ url }) => url).join('\n');
    expect(calls).toContain(CAMERA_TOKEN);
  });

  it('in no log line at the lowest level', () => {
    expectNone(logs(), [...OURS, ...THEIRS], 'the logs');
  });

  it('in no response: body, header, problem or probe', () => {
    expectNone(bodies.join('\n'), [...OURS, ...THEIRS], 'an answer');
  });

  it('in no announcement', () => {
    expectNone(announced.join('\n'), [...OURS, ...THEIRS], 'an announcement');
  });

  it('in no key or value of Redis, except for the URL in jobs of unnamed cameras', async () => {
    const contents = await redisContents(redis.url);
    expectNone(contents, OURS, 'Redis');
    const others = contents.split('\n').filter((line) => !isJob(line));
    expectNone(others.join('\n'), THEIRS, 'Redis, outside of jobs');
  });

  it('not on the dashboard without its password, and ours not even with it', async () => {
    const [worker] = fleet.workers;
    const paths = [
      '/api/queues',
      '/api/queues?activeQueue=refresh&status=latest',
      '/api/redis/stats',
    ];
    for (const path of ['', ...paths]) {
      const refused = await fetch(`${worker?.opsUrl}/queues${path}`);
      expect(refused.status).toBe(401);
      expectNone(await refused.text(), [...OURS, ...THEIRS], path);
      const served = await fetch(`${worker?.opsUrl}/queues${path}`, { headers: AUTHORIZED });
      expect(served.status).toBe(200);
      expectNone(await served.text(), OURS, path);
    }
  });

  // Must be last: the fleet is unusable afterwards.
  it('in no log line when Redis disappears and comes back with another password', async () => {
    const [api] = fleet.apis;
    await redis.kill();
    await api?.waitForLog('redis lost');
    await fleet.workers[0]?.waitForLog('redis lost');
    await redis.start('another');
    const refusals = async () => {
      const stats = String(await redis.command('INFO', 'errorstats'));
      return Number(/errorstat_WRONGPASS:count=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const processes = fleet.apis.length + fleet.workers.length;
    await expect.poll(refusals, { timeout: 30_000 }).toBeGreaterThan(3 * processes);
    const answer = await api?.image(fleet.slow.camera('away', { token: CAMERA_TOKEN }));
    expect(answer?.status).toBe(503);
    expectNone((await answer?.text()) ?? '', [...OURS, ...THEIRS], 'an answer');
    for (const { opsUrl } of [...fleet.apis, ...fleet.workers]) {
      const ready = await fetch(`${opsUrl}/readyz`);
      expectNone(await ready.text(), [...OURS, ...THEIRS], '/readyz');
    }
    expectNone(logs(), [...OURS, ...THEIRS], 'the logs');
  });
});

/** Returns whether a line is BullMQ's hash of a job, which holds its payload. */
function isJob(line: string): boolean {
  return new RegExp(`^${fleet.redisPrefix}:refresh:[0-9a-f]{32}-\\d+ `).test(line);
}
