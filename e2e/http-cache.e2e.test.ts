import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pauses, recordPauses } from '../slow-server/src/calls/pauses.ts';
import { checkCalls, type UpstreamCall } from '../testing/checks/checker.ts';
import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { image } from '../worker/src/test-support/images.ts';

/**
 * The cases of the public suite http-cache-tests 0.4.5 (cache-tests.fyi) that apply to Lastframe, by
 * their IDs there. The other 311 of 355 don't: a frame's freshness is the operator's interval and not
 * the camera's headers, viewers can only GET and HEAD, and no camera header is passed on.
 */

const BRIEF_MS = 500;
const LAST_MODIFIED = 'Tue, 01 Sep 2026 10:00:00 GMT';

interface CameraCall extends UpstreamCall {
  method: string;
  headers: IncomingHttpHeaders;
}

/** What the camera at a path sends: once, and from the second call on if that differs. */
interface Behaviour {
  headers?: OutgoingHttpHeaders;
  afterwards?: 'close' | 503;
}

const calls: CameraCall[] = [];
const behaviours = new Map<string, Behaviour>();
let cameraUrl: string;
let pauses: Pauses;
let fleet: Fleet;

const camera = createServer((req, res) => {
  const url = req.url ?? '';
  const call: CameraCall = {
    number: calls.length + 1,
    url,
    name: url,
    startMs: performance.now(),
    endMs: null,
    status: null,
    method: req.method ?? '',
    headers: req.headers,
  };
  const { headers = {}, afterwards } = behaviours.get(url) ?? {};
  const isFirst = callsTo(url).length === 0;
  calls.push(call);
  res.once('close', () => {
    call.endMs = performance.now();
    call.status = res.statusCode;
  });
  if (!isFirst && afterwards === 'close') return void req.socket.destroy();
  if (!isFirst && afterwards === 503) return void res.writeHead(503).end();
  res.writeHead(200, { 'Content-Type': 'image/jpeg', ...headers }).end(image('jpeg'));
});

beforeAll(async () => {
  pauses = recordPauses();
  await once(camera.listen(0, '127.0.0.1'), 'listening');
  cameraUrl = `http://127.0.0.1:${(camera.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const sources = `
sources:
  - { name: fresh, match: "${cameraUrl}/fresh/*", interval: 10m }
  - { name: brief, match: "${cameraUrl}/brief/*", interval: ${BRIEF_MS}ms }
`;
  writeFileSync(join(folder, 'sources.yaml'), sources);
  fleet = await startFleet({ env: { SOURCES_FILE: join(folder, 'sources.yaml') } });
  rmSync(folder, { recursive: true });
});

afterAll(async () => {
  try {
    const { breaches } = checkCalls(calls, BRIEF_MS, pauses.all());
    expect(breaches).toEqual([]);
    for (const path of behaviours.keys()) {
      if (path.startsWith('/fresh/')) expect(callsTo(path)).toHaveLength(1);
    }
  } finally {
    pauses.close();
    camera.close();
    camera.closeAllConnections();
    await fleet.checkAndStop();
  }
});

function callsTo(path: string): CameraCall[] {
  return calls.filter(({ url }) => url === path);
}

/** Requests a camera and reads the whole body. */
async function get(path: string, init: RequestInit = {}) {
  const response = await fleet.apis[0]?.image(cameraUrl + path, init);
  if (response === undefined) throw new Error('no api was started');
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

/** The first response from a camera that behaves like this. */
async function first(path: string, behaviour: Behaviour = {}, init: RequestInit = {}) {
  behaviours.set(path, behaviour);
  const response = await get(path, init);
  expect(response.status).toBe(200);
  return response;
}

/** Waits until the camera has been called that often, and each call has ended. */
async function untilCalls(path: string, count: number): Promise<void> {
  const ended = () => callsTo(path).filter(({ endMs }) => endMs !== null).length;
  const request = async () => {
    await get(path);
    return ended();
  };
  await expect.poll(request, { timeout: 60_000 }).toBeGreaterThanOrEqual(count);
}

describe('conditional requests are answered from the frame', () => {
  const UNTAGGED = 'text without quotes is not an entity tag';
  it.each<
    [
      id: string,
      status: number,
      conditions: (etag: string, date: string) => HeadersInit,
      why?: string,
    ]
  >([
    ['conditional-lm-fresh', 304, (_, date) => ({ 'If-Modified-Since': date })],
    ['conditional-lm-fresh-earlier', 304, (_, date) => ({ 'If-Modified-Since': shift(date, 60) })],
    ['conditional-lm-fresh-rfc850', 304, (_, date) => ({ 'If-Modified-Since': rfc850(date) })],
    [
      'conditional-lm-fresh-no-lm',
      200,
      (_, date) => ({ 'If-Modified-Since': shift(date, -60) }),
      'the frame is newer than that date',
    ],
    ['conditional-etag-strong-respond', 304, (etag) => ({ 'If-None-Match': etag })],
    [
      'conditional-etag-precedence',
      304,
      (etag, date) => ({
        'If-None-Match': etag,
        'If-Modified-Since': shift(date, -60),
      }),
    ],
    ['conditional-etag-weak-respond', 304, (etag) => ({ 'If-None-Match': `W/${etag}` })],
    [
      'conditional-etag-strong-respond-multiple-first',
      304,
      (etag) => ({
        'If-None-Match': `${etag}, "a", "b"`,
      }),
    ],
    [
      'conditional-etag-strong-respond-multiple-second',
      304,
      (etag) => ({
        'If-None-Match': `"a", ${etag}, "b"`,
      }),
    ],
    [
      'conditional-etag-strong-respond-multiple-last',
      304,
      (etag) => ({
        'If-None-Match': `"a", "b", ${etag}`,
      }),
    ],
    [
      'conditional-etag-quoted-respond-unquoted',
      200,
      (etag) => ({
        'If-None-Match': etag.replaceAll('"', ''),
      }),
      UNTAGGED,
    ],
  ])('%s: %i', async (id, status, conditions) => {
    const path = `/fresh/${id}`;
    const { headers } = await first(path, { headers: { 'Last-Modified': LAST_MODIFIED } });
    const [etag, date] = [headers.get('etag') ?? '', headers.get('last-modified') ?? ''];
    const second = await get(path, { headers: conditions(etag, date) });
    expect(second.status).toBe(status);
  });

  it('conditional-304-etag: a 304 has the ETag of the frame', async () => {
    const etag = (await first('/fresh/304-etag')).headers.get('etag') ?? '';
    const second = await get('/fresh/304-etag', { headers: { 'If-None-Match': etag } });
    expect([second.status, second.headers.get('etag')]).toEqual([304, etag]);
  });

  it('conditional-lm-stale: so is a stale one', async () => {
    const path = '/brief/lm-stale';
    const date = (await first(path, { afterwards: 503 })).headers.get('last-modified') ?? '';
    await untilCalls(path, 2);
    const second = await get(path, { headers: { 'If-Modified-Since': date } });
    expect(second.status).toBe(304);
  });
});

describe('conditional calls', () => {
  it.each([
    ['conditional-etag-strong-generate', '"abcdef"'],
    ['conditional-etag-weak-generate-weak', 'W/"abcdef"'],
    // The suite would add quotes; a camera gets back exactly what it sent.
    ['conditional-etag-strong-generate-unquoted', 'abcdef'],
  ])('%s: the next call sends %s back', async (id, etag) => {
    const path = `/brief/${id}`;
    await first(path, { headers: { ETag: etag } });
    await untilCalls(path, 2);
    expect(callsTo(path).map(({ headers }) => headers['if-none-match'])).toEqual(
      callsTo(path).map((_, index) => (index === 0 ? undefined : etag)),
    );
  });

  it("conditional-etag-forward: no; a viewer's conditions never reach the camera", async () => {
    await first('/fresh/forward', {}, { headers: { 'If-None-Match': '"abcdef"' } });
    expect(callsTo('/fresh/forward').map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
    ]);
  });
});

describe('ranges are taken from the whole frame', () => {
  const size = image('jpeg').length;
  it.each([
    ['partial-store-complete-reuse-partial', 'bytes=0-1', 0, 2],
    ['partial-store-complete-reuse-partial-no-last', 'bytes=1-', 1, size],
    ['partial-store-complete-reuse-partial-suffix', 'bytes=-1', size - 1, size],
  ])('%s: %s', async (id, range, from, to) => {
    const whole = await first(`/fresh/${id}`);
    const part = await get(`/fresh/${id}`, { headers: { Range: range } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${size}`);
    expect(part.body).toEqual(whole.body.subarray(from, to));
  });
});

it.each([
  ['headers-omit-headers-listed-in-Connection', 'A', { Connection: 'a, b', A: '1', B: '2' }],
  ['headers-store-Connection', 'Connection', { Connection: 'close, a' }],
  ['headers-store-Keep-Alive', 'Keep-Alive', { 'Keep-Alive': 'abc' }],
  ['headers-store-Proxy-Authenticate', 'Proxy-Authenticate', { 'Proxy-Authenticate': 'abc' }],
  [
    'headers-store-Proxy-Authentication-Info',
    'Proxy-Authentication-Info',
    {
      'Proxy-Authentication-Info': 'abc',
    },
  ],
  ['headers-store-Proxy-Authorization', 'Proxy-Authorization', { 'Proxy-Authorization': 'abc' }],
  ['headers-store-Proxy-Connection', 'Proxy-Connection', { 'Proxy-Connection': 'abc' }],
  ['headers-store-TE', 'TE', { TE: 'abc' }],
  ['headers-store-Upgrade', 'Upgrade', { Upgrade: 'abc' }],
])("%s: the camera's %s reaches no viewer", async (id, name, headers) => {
  const path = `/fresh/${id}`;
  for (const response of [await first(path, { headers }), await get(path)]) {
    expect(Object.values(headers)).not.toContain(response.headers.get(name));
  }
});

it.each([
  ['stale-close', 'close', {}],
  ['stale-503', 503, {}],
  ['stale-sie-close', 'close', { 'Cache-Control': 'max-age=2, stale-if-error=60' }],
  ['stale-sie-503', 503, { 'Cache-Control': 'max-age=2, stale-if-error=60' }],
  // `Warning` is obsolete (RFC 9111 5.5): `Cache-Status` says that the frame is stale.
  ['stale-warning-stored', 503, { Warning: '199 a "b"' }],
  ['stale-warning-become', 503, {}],
] as const)(
  '%s: the last frame is served while the camera fails',
  async (id, afterwards, headers) => {
    const path = `/brief/${id}`;
    const { body } = await first(path, { afterwards, headers });
    await untilCalls(path, 2);
    const second = await get(path);
    expect(second.status).toBe(200);
    expect(second.body).toEqual(body);
    expect(second.headers.get('warning')).toBeNull();
    expect(second.headers.get('cache-status')).toMatch(/^lastframe; hit; ttl=-?\d+/);
  },
);

it.each([
  ['pragma-request-no-cache', { Pragma: 'no-cache' }],
  ['pragma-request-extension', { Pragma: 'foo' }],
  ['query-args-same', {}],
  ['other-cookie', { Cookie: 'a=b' }],
])('%s: the frame is reused', async (id, headers) => {
  const path = `/fresh/${id}?a=b`;
  const { body } = await first(path, {}, { headers });
  expect((await get(path, { headers })).body).toEqual(body);
  expect(callsTo(path).map((call) => call.headers.cookie)).toEqual([undefined]);
});

it('query-args-different: another query is another camera', async () => {
  await first('/fresh/query?a=1');
  await first('/fresh/query?a=2');
  expect([callsTo('/fresh/query?a=1').length, callsTo('/fresh/query?a=2').length]).toEqual([1, 1]);
});

it('head-writethrough: no; HEAD is answered from the frame, and cameras only get GET', async () => {
  const head = await first('/fresh/head', {}, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(String(image('jpeg').length));
  expect(callsTo('/fresh/head').map(({ method }) => method)).toEqual(['GET']);
});

it.each([
  ['other-age-gen', {}],
  // The suite adds the origin's Age; here Age counts from the capture.
  ['other-age-update-expires', { Age: '30', Expires: 'Tue, 01 Sep 2099 10:00:00 GMT' }],
  ['other-age-update-max-age', { Age: '30', 'Cache-Control': 'max-age=3600' }],
])('%s: Age is the time since the capture', async (id, headers) => {
  const startMs = performance.now();
  await first(`/fresh/${id}`, { headers });
  const ageS = Number((await get(`/fresh/${id}`)).headers.get('age') ?? Number.NaN);
  expect(ageS).toBeGreaterThanOrEqual(0);
  expect(ageS).toBeLessThanOrEqual(Math.ceil((performance.now() - startMs) / 1000));
});

function shift(httpDate: string, seconds: number): string {
  return new Date(Date.parse(httpDate) + seconds * 1000).toUTCString();
}

/** The obsolete form of a date that HTTP still allows, such as `Tuesday, 01-Sep-26 10:00:00 GMT`. */
function rfc850(httpDate: string): string {
  const date = new Date(httpDate);
  const weekday = date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
  const [, day, month, year = '', time] = httpDate.split(' ');
  return `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}
