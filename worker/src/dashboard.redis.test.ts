import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sharedRedis } from '../../testing/redis/test-redis.ts';
import { type Credentials, dashboard } from './dashboard.ts';

const CREDENTIALS = { username: 'ops', password: 'corréct horse:battery' };
const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const VALID = basic(CREDENTIALS.username, CREDENTIALS.password);
const JSON_BODY = { 'Content-Type': 'application/json' };

async function start(credentials?: Credentials) {
  const { link, prefix } = await sharedRedis();
  const queue = new Queue(QUEUE_NAME, { connection: link.client, prefix });
  onTestFinished(() => queue.close());
  await queue.waitUntilReady();
  const app = dashboard(queue, credentials);
  const send = async (
    path: string,
    { method = 'GET', from = '127.0.0.1', headers = {} as Record<string, string> } = {},
  ) => {
    const url = `http://localhost:9089/queues${path}`;
    const incoming = { socket: { remoteAddress: from, remotePort: 1, remoteFamily: 'IPv4' } };
    const host = { Host: 'localhost:9089', ...headers };
    return await app.request(url, { method, headers: host }, { incoming });
  };
  return { app, queue, send };
}

const READS = ['', '/api/queues', '/api/redis/stats', '/queue/refresh', '/static/favicon.ico'];
const ACTIONS = [
  ['PUT', '/api/queues/refresh/pause'],
  ['PUT', '/api/queues/refresh/resume'],
  ['PUT', '/api/queues/refresh/empty'],
  ['PUT', '/api/queues/refresh/obliterate'],
  ['PUT', '/api/queues/refresh/clean/completed'],
  ['PUT', '/api/queues/refresh/retry/failed'],
  ['PUT', '/api/queues/refresh/promote'],
  ['POST', '/api/queues/refresh/add'],
  ['PUT', '/api/queues/pause'],
] as const;

describe('a dashboard with credentials', () => {
  it.each(READS)('responds with 401 to %s without them, from anywhere', async (path) => {
    const { send } = await start(CREDENTIALS);
    for (const from of ['127.0.0.1', '10.0.0.9']) {
      const response = await send(path, { from });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="Lastframe"/);
      expect(await response.text()).toBe('Unauthorized');
    }
  });

  it.each([
    ['another password', basic('ops', 'x')],
    ['the beginning of the password', basic('ops', 'corréct horse')],
    ['no password', basic('ops', '')],
    ['another user', basic('root', CREDENTIALS.password)],
    ['no user', basic('', CREDENTIALS.password)],
    ['neither', basic('', '')],
    ['the password as a token', { Authorization: `Bearer ${CREDENTIALS.password}` }],
    ['invalid base64', { Authorization: 'Basic %%%' }],
    ['nothing', { Authorization: '' }],
    ['a header of a proxy', { 'X-Forwarded-User': 'ops', 'X-Forwarded-For': '127.0.0.1' }],
  ])('responds with the same 401 to %s', async (_, headers) => {
    const { send } = await start(CREDENTIALS);
    const response = await send('/api/queues', { headers: headers as Record<string, string> });
    expect([response.status, await response.text()]).toEqual([401, 'Unauthorized']);
  });

  it('serves clients that send them, and lets them change the queue', async () => {
    const { send, queue } = await start(CREDENTIALS);
    expect((await send('/api/queues', { from: '10.0.0.9', headers: VALID })).status).toBe(200);
    const pause = { method: 'PUT', headers: { ...VALID, 'Sec-Fetch-Site': 'same-origin' } };
    expect((await send('/api/queues/refresh/pause', pause)).status).toBe(200);
    expect(await queue.isPaused()).toBe(true);
  });

  it.each([
    ['a form', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.test' }],
    ['a form of a sister site', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://a.localhost' }],
    ['an old browser’s form', { Origin: 'http://evil.test' }],
    ['a sandboxed frame', { Origin: 'null', 'Content-Type': 'text/plain' }],
  ])('rejects changes from another site, even if the browser adds them: %s', async (_, headers) => {
    const { send, queue } = await start(CREDENTIALS);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const all = { ...VALID, 'Content-Type': type, ...headers } as Record<string, string>;
      for (const [method, path] of ACTIONS) {
        expect((await send(path, { method, headers: all })).status, path).toBe(403);
      }
    }
    expect(await queue.isPaused()).toBe(false);
  });

  it.each([
    ['JSON of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.test' }],
    ['JSON of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['JSON of another port', { Origin: 'http://localhost:9999' }],
    ['JSON without an origin', { Origin: 'null' }],
    ['a typed address', { 'Sec-Fetch-Site': 'none' }],
  ])('allows changes only from its own page: not %s', async (_, headers) => {
    const { send, queue } = await start(CREDENTIALS);
    const all = { ...VALID, ...JSON_BODY, ...headers } as Record<string, string>;
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      expect((await send('/api/queues/refresh/pause', { method, headers: all })).status).toBe(403);
    }
    expect(await queue.isPaused()).toBe(false);
  });

  it('allows no page to change anything without Host, as in HTTP/1.0: all are foreign', async () => {
    const { app, queue } = await start(CREDENTIALS);
    for (const origin of ['null', 'file://', 'http://no-host.invalid', 'http://localhost:9089']) {
      const headers = { ...VALID, ...JSON_BODY, Origin: origin };
      const url = 'http://no-host.invalid/queues/api/queues/refresh/pause';
      const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
      const { status } = await app.request(url, { method: 'PUT', headers }, env);
      expect(status, origin).toBe(403);
    }
    expect(await queue.isPaused()).toBe(false);
  });

  it('allows changes from its own page and tools, even behind a proxy that ends TLS', async () => {
    const { send } = await start(CREDENTIALS);
    for (const headers of [
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://localhost:9089' },
      { Origin: 'https://localhost:9089' },
      {},
    ] as Record<string, string>[]) {
      const all = { ...VALID, ...JSON_BODY, ...headers };
      const response = await send('/api/queues/refresh/resume', { method: 'PUT', headers: all });
      expect(response.status).toBe(200);
    }
  });

  it('rejects a client that guesses, even with the right password, but not others', async () => {
    const { send } = await start(CREDENTIALS);
    const from = '10.0.0.9';
    for (let n = 0; n < 10; n += 1) {
      expect((await send('', { from, headers: basic('ops', `guess ${n}`) })).status).toBe(401);
    }
    for (const headers of [basic('ops', 'guess'), VALID]) {
      const response = await send('/api/queues', { from, headers });
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    expect((await send('/api/queues', { from: '10.0.0.10', headers: VALID })).status).toBe(200);
  });

  it('does not count a request without a password as a guess', async () => {
    const { send } = await start(CREDENTIALS);
    for (let n = 0; n < 30; n += 1) expect((await send('')).status).toBe(401);
    expect((await send('', { headers: VALID })).status).toBe(200);
  });

  it('cannot be framed', async () => {
    const { send } = await start(CREDENTIALS);
    const { headers } = await send('', { headers: VALID });
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
  });
});

describe('a dashboard without credentials', () => {
  it.each(READS)('serves %s on loopback', async (path) => {
    const { send } = await start();
    for (const [from, host] of [
      ['127.0.0.1', 'localhost:9089'],
      ['::ffff:127.0.0.1', '127.0.0.1:9089'],
      ['::1', '[::1]:9089'],
      ['127.0.0.1', 'LOCALHOST'],
    ] as const) {
      const { status } = await send(path, { from, headers: { Host: host } });
      expect([200, 404], `${path} ${host}`).toContain(status);
    }
  });

  it.each(READS)('rejects %s from elsewhere, whatever the request says', async (path) => {
    const { send } = await start();
    for (const headers of [
      {},
      { 'X-Forwarded-For': '127.0.0.1' },
      { 'X-Real-IP': '::1', Forwarded: 'for=127.0.0.1' },
      { Host: '127.0.0.1' },
      VALID,
    ] as Record<string, string>[]) {
      for (const from of ['10.0.0.9', '::ffff:10.0.0.9', '2001:db8::1', '0.0.0.0', '']) {
        expect((await send(path, { from, headers })).status).toBe(403);
      }
    }
  });

  it.each([
    'evil.test:9089',
    'evil.test',
    'localhost.evil.test:9089',
    '127.0.0.1.evil.test',
    'evil.test:9089@localhost',
    '10.0.0.9:9089',
    '0.0.0.0:9089',
    'local host',
  ])('rejects a page under the name %s that DNS moved to loopback', async (host) => {
    const { send } = await start();
    for (const path of READS) {
      expect((await send(path, { headers: { Host: host } })).status).toBe(403);
    }
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via'])(
    'does not take a request through a local proxy (%s) for a local one',
    async (name) => {
      const { send } = await start();
      const response = await send('/api/queues', { headers: { [name]: '203.0.113.9' } });
      expect(response.status).toBe(403);
    },
  );

  it('is read-only: no action changes anything', async () => {
    const { send, queue } = await start();
    await queue.add('kept', { v: 1 }, { jobId: 'kept-1' });
    for (const [method, path] of ACTIONS) {
      expect((await send(path, { method, headers: JSON_BODY })).status, path).toBe(405);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      expect((await send('/anything', { method })).status).toBe(405);
    }
    expect(await queue.isPaused()).toBe(false);
    expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 1 });
  });
});
