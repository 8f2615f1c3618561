import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../testing/fleet/fleet.ts';

const INTERVAL_MS = 2000;
const IN_MEMORY = /lastframe; hit; ttl=-?\d+; detail=memory/;
let fleet: Fleet;
let folder: string;
let api: Api;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const file = join(folder, 'sources.yaml');
  fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS });
  const { url } = fleet.slow;
  writeFileSync(
    file,
    `
sources:
  - { name: kept, match: "${url}/image/kept*", cacheBusters: keep }
  - { name: slow, match: "${url}/*" }
cameras:
  gate: { url: "${url}/image/gate?t=12" }
`,
  );
  const env = { SOURCES_FILE: file, ALLOWED_SOURCES: '' };
  await fleet.startWorker({ ADOPT_REDIS: 'true', ...env });
  api = await fleet.startApi(env);
});

afterAll(async () => {
  await fleet.checkAndStop();
  rmSync(folder, { recursive: true });
});

async function callsTo(name: string): Promise<number> {
  return (await fleet.slow.calls()).filter((call) => call.name === name).length;
}

async function problemAt(target: string) {
  const response = await fetch(api.url + target);
  return { status: response.status, ...((await response.json()) as { detail: string }) };
}

describe('cache-busters', () => {
  it('cost no more calls than one URL does', async () => {
    const camera = `${fleet.slow.url}/image/busted?size=64x36`;
    const beganMs = performance.now();
    const look = async (viewer: number, n: number) => {
      const busters = [`t=${viewer}${n}`, `_=${Date.now()}${viewer}`, `rand=${Math.random()}`];
      const url = `${camera}&${busters[viewer % 3]}`;
      const target = n % 2 === 0 ? `?url=${url}` : `?url=${encodeURIComponent(url)}`;
      const response = await fetch(`${api.url}/images${target}`);
      expect(response.status).toBe(200);
    };
    for (let n = 0; n < 3; n += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, viewer) => look(viewer, n)));
    }
    const calls = await callsTo('busted');
    const intervals = Math.floor((performance.now() - beganMs) / INTERVAL_MS);
    expect(calls).toBeLessThanOrEqual(1 + intervals);
  });

  it('are told to the operator once', async () => {
    const lines = () => api.logs.filter(({ msg }) => msg?.startsWith('cache-buster'));
    await expect.poll(lines, { timeout: 10_000 }).toHaveLength(1);
    expect(lines()[0]).toMatchObject({
      source: 'slow',
      msg: expect.stringContaining('set cacheBusters: keep for this source in SOURCES_FILE'),
    });
  });

  it('select the picture where the source says so, and in the URL of a named camera', async () => {
    const kept = `${fleet.slow.url}/image/kept?size=64x36`;
    const [one, two] = await Promise.all([api.image(`${kept}&t=12`), api.image(`${kept}&t=13`)]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(await callsTo('kept')).toBeGreaterThanOrEqual(2);
    expect((await fetch(`${api.url}/cameras/gate`)).status).toBe(200);
    const busted = await fetch(`${api.url}/cameras/gate?t=1764413962123&pwd=x`);
    expect(busted.headers.get('cache-status')).toMatch(IN_MEMORY);
    const byUrl = await api.image(`${fleet.slow.url}/image/gate?t=12`);
    expect(byUrl.headers.get('cache-status')).toMatch(IN_MEMORY);
  });
});

it('a URL that is not encoded is shown as it should be, and no camera is called', async () => {
  const camera = `${fleet.slow.url}/image/stray?size=64x36`;
  for (const path of ['/images', '/events', '/stream', '/']) {
    const { status, detail } = await problemAt(`${path}?url=${camera}&user=me&pwd=s3cret`);
    expect([path, status]).toEqual([path, 400]);
    expect(detail).toContain(`${path}?url=${encodeURIComponent(camera)}%26user%3D…%26pwd%3D…`);
    expect(detail).not.toContain('s3cret');
  }
  expect(await callsTo('stray')).toBe(0);
});

it.each([
  ['http://127.0.0.1:9/a%20b.jpg', /%2520/],
  ['http://127.0.0.1:9/a+b.jpg', /%2B/],
  [encodeURIComponent(encodeURIComponent('http://127.0.0.1:9/a.jpg')), /twice/],
  [encodeURIComponent('http://admin:s3cret@127.0.0.1:9/a.jpg'), /auth: for the source/],
  ['rtsp://admin:s3cret@127.0.0.1/1', /go2rtc/],
  ['127.0.0.1/a.jpg', /write http:\/\/ or https:\/\/ first/],
])('?url=%s is told what to write', async (url, advice) => {
  const { status, detail } = await problemAt(`/images?url=${url}`);
  expect([status, detail]).toEqual([400, expect.stringMatching(advice)]);
  expect(detail).not.toContain('s3cret');
});

/** Returns everything that comes back, or what has come once it matches. */
async function exchange(origin: string, text: string, until?: RegExp): Promise<string> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
    if (until?.test(received)) socket.destroy();
  });
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return received;
}

describe('HTTP/1.0 without Host', () => {
  it('gets an image, a problem, and a stream without chunks', async () => {
    const target = `url=${encodeURIComponent(`${fleet.slow.url}/image/old?size=64x36`)}`;
    const image = await exchange(api.url, `GET /images?${target} HTTP/1.0\r\n\r\n`);
    expect(image).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
    const problem = await exchange(api.url, 'GET /images HTTP/1.0\r\n\r\n');
    expect(problem).toMatch(/^HTTP\/1\.1 400 [\s\S]*url is missing/);
    for (const [path, part] of [
      ['/events', /\r\n\r\nretry: /],
      ['/stream', /\r\n\r\n--frame\r\n/],
    ] as const) {
      const stream = await exchange(api.url, `GET ${path}?${target} HTTP/1.0\r\n\r\n`, part);
      expect(stream).toMatch(part);
      expect(stream).not.toMatch(/transfer-encoding/i);
    }
  });

  it('gets the probes and the metrics, of api and worker', async () => {
    const [worker] = fleet.workers;
    for (const origin of [api.opsUrl, worker?.opsUrl ?? '']) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        const response = await exchange(origin, `GET ${path} HTTP/1.0\r\n\r\n`);
        expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        const newer = await exchange(origin, `GET ${path} HTTP/1.1\r\n\r\n`);
        expect(newer).toMatch(/^HTTP\/1\.1 400 /);
      }
    }
  });

  it('does not lead to the queue dashboard', async () => {
    const [worker] = fleet.workers;
    const response = await exchange(worker?.opsUrl ?? '', 'GET /queues HTTP/1.0\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('raw bytes in a target', () => {
  it.each([
    ['UTF-8', 'caf\xc3\xa9', 'caf%C3%A9'],
    ['latin1', 'caf\xe9', 'caf%E9'],
    ['half a character', 'caf\xc3', 'caf%C3'],
  ])('mean the same camera as their escapes: %s', async (_, raw, escaped) => {
    const target = (word: string) => `${fleet.slow.url}/image/raw?size=64x36%26name=${word}`;
    const get = (word: string) =>
      exchange(
        api.url,
        `GET /images?url=${target(word)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
    const first = await get(raw);
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(first).not.toMatch(IN_MEMORY);
    expect(await get(escaped)).toMatch(IN_MEMORY);
    expect(await get(raw)).toMatch(IN_MEMORY);
  });
});
