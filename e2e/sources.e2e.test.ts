import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { afterEach, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../testing/fleet/fleet.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;
let folder: string;

afterEach(async () => {
  await fleet.checkAndStop();
  rmSync(folder, { recursive: true });
});

/** Starts a fleet with a sources file; `text` builds it from the slow server's URL. */
async function startWith(text: (slowUrl: string) => string, env: Record<string, string> = {}) {
  folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const file = join(folder, 'sources.yaml');
  fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS });
  writeFileSync(file, text(fleet.slow.url));
  const all = { SOURCES_FILE: file, ALLOWED_SOURCES: '', ...env };
  await fleet.startWorker({ ADOPT_REDIS: 'true', ...all });
  const api = await fleet.startApi(all);
  return { api, file };
}

const secretFile = (slowUrl: string) => `
sources:
  - name: slow
    match: ${slowUrl}/*
    headers: { X-Key: "\${CAM_KEY}" }
cameras:
  gate: { url: "${slowUrl}/image/hidden-path?size=64x36&key=planted-secret" }
  broken: { url: "${slowUrl}/image/hidden-broken?status=500&key=planted-secret" }
`;

it('serves a named camera by its name, and never exposes its URL or headers', async () => {
  const env = { CAM_KEY: 'planted-header', QUEUES_USER: 'u', QUEUES_PASSWORD: 'p' };
  const { api } = await startWith(secretFile, env);
  const [good, bad, none] = await Promise.all(
    ['gate', 'broken', 'other'].map((name) => fetch(`${api.url}/cameras/${name}`)),
  );
  expect([good?.status, bad?.status, none?.status]).toEqual([200, 502, 404]);
  expect(good?.headers.get('content-type')).toBe('image/jpeg');
  const worker = fleet.workers[0];
  const board = await fetch(
    `${worker?.opsUrl}/queues/api/queues?activeQueue=refresh&status=latest&page=1&jobsPerPage=20`,
    { headers: { Authorization: `Basic ${btoa('u:p')}` } },
  );
  expect(board.status).toBe(200);
  const boardText = await board.text();
  expect(boardText).toContain('"name":"gate"');
  const outside = [
    JSON.stringify(Object.fromEntries(good?.headers ?? [])),
    await bad?.text(),
    await none?.text(),
    boardText,
    JSON.stringify([...api.logs, ...(worker?.logs ?? [])]),
    await allOfRedis(),
  ].join('\n');
  for (const secret of ['hidden-', 'planted-', fleet.slow.url]) {
    expect(outside).not.toContain(secret);
  }
});

it('calls a `keepWarm` camera every interval without viewers', async () => {
  await startWith(
    (url) => `
sources: [{ name: slow, match: "${url}/*", interval: 800ms }]
cameras: { warm: { url: "${url}/image/warm?size=64x36", keepWarm: true } }
`,
  );
  await expect
    .poll(async () => (await fleet.slow.calls()).length, { timeout: 30_000 })
    .toBeGreaterThan(5);
});

it('applies a changed file at once, rejects a faulty one, and rereads it on SIGHUP', async () => {
  const rules = (url: string, name: string) =>
    `sources: [{ name: slow, match: "${url}/image/${name}*" }]\n`;
  const { api, file } = await startWith((url) => rules(url, 'a'));
  const status = async (name: string) => (await api.image(fleet.slow.camera(name))).status;
  expect([await status('a'), await status('b')]).toEqual([200, 403]);

  writeFileSync(file, rules(fleet.slow.url, 'b'));
  // If the api reads it first, it remembers the worker's rejection for a while.
  await expect.poll(() => status('b'), { timeout: 40_000 }).toBe(200);
  expect(await status('a')).toBe(403);

  writeFileSync(file, 'sources: 5\n');
  const { faults } = await api.waitForLog('sources file rejected; keeping the previous rules');
  expect(faults).toEqual([`${file}: sources: expected a list of sources`]);
  expect(await status('b')).toBe(200);

  for (const child of [api as Api, ...fleet.workers]) child.signal('SIGHUP');
  await expect
    .poll(() => api.logs.filter(({ msg }) => msg?.startsWith('sources file rejected')).length, {
      timeout: 20_000,
    })
    .toBe(2);
  expect(await status('b')).toBe(200);
});

/** Returns every key and value in Redis as text. */
async function allOfRedis(): Promise<string> {
  const client = createClient({ url: fleet.redis.url });
  await client.connect();
  const parts: string[] = [];
  for (const key of await client.keys('*')) {
    const read = {
      string: ['GET', key],
      hash: ['HGETALL', key],
      list: ['LRANGE', key, '0', '-1'],
      set: ['SMEMBERS', key],
      zset: ['ZRANGE', key, '0', '-1'],
      stream: ['XRANGE', key, '-', '+'],
    }[await client.type(key)];
    if ((await client.exists(key)) === 0) continue; // expired meanwhile
    if (!read) throw new Error(`${key} has a type that this test can't read`);
    parts.push(key, JSON.stringify(await client.sendCommand(read)));
  }
  await client.close();
  expect(parts.length).toBeGreaterThan(10);
  return parts.join('\n');
}
