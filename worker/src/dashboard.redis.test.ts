import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sharedRedis } from '../../testing/test-redis.ts';
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
  const ask = async (
    path: string,
    { method = 'GET', from = '127.0.0.1', headers = {} as Record<string, string> } = {},
  ) => {
    const url = `http://localhost:9089/queues${path}`;
    const incoming = { socket: { remoteAddress: from, remotePort: 1, remoteFamily: 'IPv4' } };
    const host = { Host: 'localhost:9089', ...headers };
    return await app.request(url, { method, headers: host }, { incoming });
  };
  return { queue, ask };
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

describe('with credentials', () => {
  it.each(READS)('%s is 401 without them, from wherever', async (path) => {
    const { ask } = await start(CREDENTIALS);
    for (const from of ['127.0.0.1', '10.0.0.9']) {
      const answer = await ask(path, { from });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="Lastframe"/);
      expect(await answer.text()).toBe('Unauthorized');
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
    ['no base64', { Authorization: 'Basic %%%' }],
    ['nothing', { Authorization: '' }],
    ['a header of a proxy', { 'X-Forwarded-User': 'ops', 'X-Forwarded-For': '127.0.0.1' }],
  ])('401 for %s, always in the same words', async (_, headers) => {
    const { ask } = await start(CREDENTIALS);
    const answer = await ask('/api/queues', { headers: headers as Record<string, string> });
    expect([answer.status, await answer.text()]).toEqual([401, 'Unauthorized']);
  });

  it('it is served to whoever has them, and obeys', async () => {
    const { ask, queue } = await start(CREDENTIALS);
    expect((await ask('/api/queues', { from: '10.0.0.9', headers: VALID })).status).toBe(200);
    const pause = { method: 'PUT', headers: { ...VALID, 'Sec-Fetch-Site': 'same-origin' } };
    expect((await ask('/api/queues/refresh/pause', pause)).status).toBe(200);
    expect(await queue.isPaused()).toBe(true);
  });

  it.each([
    ['a form', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.test' }],
    ['a form of a sister site', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://a.localhost' }],
    ['an old browser’s form', { Origin: 'http://evil.test' }],
    ['a sandboxed frame', { Origin: 'null', 'Content-Type': 'text/plain' }],
  ])('it obeys no other site, though the browser adds them: %s', async (_, headers) => {
    const { ask, queue } = await start(CREDENTIALS);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const all = { ...VALID, 'Content-Type': type, ...headers } as Record<string, string>;
      for (const [method, path] of ACTIONS) {
        expect((await ask(path, { method, headers: all })).status, path).toBe(403);
      }
    }
    expect(await queue.isPaused()).toBe(false);
  });

  it.each([
    ['JSON of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.test' }],
    ['JSON of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['JSON of another port', { Origin: 'http://localhost:9999' }],
    ['JSON without an origin', { Origin: 'null' }],
    ['an address that was typed', { 'Sec-Fetch-Site': 'none' }],
  ])('only its own page may change anything: not %s', async (_, headers) => {
    const { ask, queue } = await start(CREDENTIALS);
    const all = { ...VALID, ...JSON_BODY, ...headers } as Record<string, string>;
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      expect((await ask('/api/queues/refresh/pause', { method, headers: all })).status).toBe(403);
    }
    expect(await queue.isPaused()).toBe(false);
  });

  it('its own page and tools may, behind a proxy that ends TLS too', async () => {
    const { ask } = await start(CREDENTIALS);
    for (const headers of [
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://localhost:9089' },
      { Origin: 'https://localhost:9089' },
      {},
    ] as Record<string, string>[]) {
      const all = { ...VALID, ...JSON_BODY, ...headers };
      const answer = await ask('/api/queues/refresh/resume', { method: 'PUT', headers: all });
      expect(answer.status).toBe(200);
    }
  });

  it('a client that guesses is turned away, with the right password too; others are not', async () => {
    const { ask } = await start(CREDENTIALS);
    const from = '10.0.0.9';
    for (let n = 0; n < 10; n += 1) {
      expect((await ask('', { from, headers: basic('ops', `guess ${n}`) })).status).toBe(401);
    }
    for (const headers of [basic('ops', 'guess'), VALID]) {
      const answer = await ask('/api/queues', { from, headers });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    expect((await ask('/api/queues', { from: '10.0.0.10', headers: VALID })).status).toBe(200);
  });

  it('a browser that has not asked for the password yet guesses nothing', async () => {
    const { ask } = await start(CREDENTIALS);
    for (let n = 0; n < 30; n += 1) expect((await ask('')).status).toBe(401);
    expect((await ask('', { headers: VALID })).status).toBe(200);
  });

  it('it can not be framed', async () => {
    const { ask } = await start(CREDENTIALS);
    const { headers } = await ask('', { headers: VALID });
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
  });
});

describe('without credentials', () => {
  it.each(READS)('%s is served on loopback', async (path) => {
    const { ask } = await start();
    for (const [from, host] of [
      ['127.0.0.1', 'localhost:9089'],
      ['::ffff:127.0.0.1', '127.0.0.1:9089'],
      ['::1', '[::1]:9089'],
      ['127.0.0.1', 'LOCALHOST'],
    ] as const) {
      const { status } = await ask(path, { from, headers: { Host: host } });
      expect([200, 404], `${path} ${host}`).toContain(status);
    }
  });

  it.each(READS)('%s is refused from elsewhere, whatever the request says', async (path) => {
    const { ask } = await start();
    for (const headers of [
      {},
      { 'X-Forwarded-For': '127.0.0.1' },
      { 'X-Real-IP': '::1', Forwarded: 'for=127.0.0.1' },
      { Host: '127.0.0.1' },
      VALID,
    ] as Record<string, string>[]) {
      for (const from of ['10.0.0.9', '::ffff:10.0.0.9', '2001:db8::1', '0.0.0.0', '']) {
        expect((await ask(path, { from, headers })).status).toBe(403);
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
  ])('a page under the name %s that DNS moved to loopback reads nothing', async (host) => {
    const { ask } = await start();
    for (const path of READS) {
      expect((await ask(path, { headers: { Host: host } })).status).toBe(403);
    }
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via'])(
    'what a proxy on this machine passes on (%s) is not of this machine',
    async (name) => {
      const { ask } = await start();
      const answer = await ask('/api/queues', { headers: { [name]: '203.0.113.9' } });
      expect(answer.status).toBe(403);
    },
  );

  it('it is read-only: no action changes anything', async () => {
    const { ask, queue } = await start();
    await queue.add('kept', { v: 1 }, { jobId: 'kept-1' });
    for (const [method, path] of ACTIONS) {
      expect((await ask(path, { method, headers: JSON_BODY })).status, path).toBe(405);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      expect((await ask('/anything', { method })).status).toBe(405);
    }
    expect(await queue.isPaused()).toBe(false);
    expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 1 });
  });
});
