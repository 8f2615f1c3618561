import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { etagOf } from '@lastframe/shared/http/etag';
import { keysFor } from '@lastframe/shared/redis/keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { testSource } from '../../testing/test-camera.ts';
import { openEvents, openMjpeg } from '../../testing/viewers/streams.ts';
import { sendRawRequest } from './ask.ts';

const BYTES = 'the bytes of an image';
const GOOD = {
  v: '1',
  startedAt: '1790000000000',
  capturedAt: '1790000000000',
  changedAt: '1790000000000',
  type: 'image/jpeg',
  etag: etagOf(Buffer.from(BYTES)),
  bytes: BYTES,
  validators: '',
  width: '64',
  height: '36',
};
const BAD_TIMES = ['', 'x', '-1', 'NaN', 'nan', 'Infinity', '-inf', '1e308', '1.5', '0x10'];
const TIMES = [...BAD_TIMES, '9999999999999999', '1790000000000\r\nX-Evil: 1'];

/** The malformed field of each record. */
const RECORDS: [field: string, value: string][] = [
  ...(['startedAt', 'capturedAt', 'changedAt'] as const).flatMap((field) =>
    TIMES.map((value): [string, string] => [field, value]),
  ),
  ...['text/html', 'image/svg+xml', '', 'image/jpeg\r\nX-Evil: 1', 'image/jpeg; x', 'é'].map(
    (value): [string, string] => ['type', value],
  ),
  ...[
    '',
    'x',
    '"x"',
    'W/"sha256-0"',
    '"sha256-\r\nX-Evil: 1"',
    '"é☃"',
    `"${'a'.repeat(9000)}"`,
  ].map((value): [string, string] => ['etag', value]),
  ['bytes', ''],
  ...['-1', '0', 'x', '1e9', '99999999999'].map((value): [string, string] => ['width', value]),
];
const FAILURES = [
  { status: 200, reason: 'x' },
  { status: 502, reason: 1 },
  { status: 502, reason: 'x'.repeat(5000) },
];
/** Valid except for their extra fields. */
const ODD_FAILURES = [
  { status: 502, reason: 'x', error: 'a\r\nX-Evil: 1' },
  { status: 502, reason: 'x', receivedStatus: 1e308 },
];
const HEALTHS = BAD_TIMES.map((value) => ({ failSince: value, failedAt: value, failNext: value }));

let fleet: Fleet;
let api: Api;
let folder: string;
let good: string;
const keys = () => keysFor(fleet.redisPrefix);
const idOf = (url: string) => cameraOf(parseCameraUrl(url), testSource()).cameraId;
const badUrls = RECORDS.map((_, n) => (at: string) => `${at}/image/bad-${n}`);
const target = (url: string) => `/images?url=${encodeURIComponent(url)}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lastframe-records-'));
  const file = join(folder, 'sources.yaml');
  await writeFile(file, '{}');
  const env = { SOURCES_FILE: file, COLD_WAIT: '300ms', STALE_FOR: '3650d' };
  fleet = await startFleet({ apis: 0, workers: 0, env });
  const { url: at } = fleet.slow;
  good = `${at}/image/good`;
  const named = [good, ...badUrls.map((urlOf) => urlOf(at))].map(
    (url, n) => `  cam-${n}: { url: "${url}" }`,
  );
  const source = `{ name: slow, match: "${at}/*" }`;
  await writeFile(file, `sources: [${source}]\ncameras:\n${named.join('\n')}\n`);
  api = await fleet.startApi();
  await storeRecord(good, {});
  for (const [n, [field, value]] of RECORDS.entries())
    await storeRecord(badUrls[n]?.(at) ?? '', { [field]: value });
});

afterAll(async () => {
  await fleet.checkAndStop();
  await rm(folder, { recursive: true });
});

async function storeRecord(url: string, overrides: Record<string, string>): Promise<void> {
  const fields = Object.entries({ ...GOOD, ...overrides }).flat();
  await fleet.redis.command('HSET', keys().frame(idOf(url)), ...fields);
}

/** Requests the frame from the routes, which learn the target, and then from the fast path. */
async function expectGoodServed(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    const { status, head, body } = await sendRawRequest(api.url, target(good));
    expect([status, body]).toEqual([200, BYTES]);
    expect(head).toMatch(/^content-type: image\/jpeg\r?$/im);
  }
  expect(api.hasEnded).toBe(false);
}

describe('a malformed record in Redis', () => {
  it.each(RECORDS.map(([field, value], n) => ({ n, field, value: value.slice(0, 40) })))(
    'is not served, by URL or by name: $field $value',
    async ({ n }) => {
      const url = badUrls[n]?.(fleet.slow.url) ?? '';
      const answers = await Promise.all(
        [target(url), target(url), `/cameras/cam-${n + 1}`].map((path) =>
          sendRawRequest(api.url, path),
        ),
      );
      for (const { status, head } of answers) {
        expect(status).toBe(503);
        expect(head).toMatch(/^content-type: application\/problem\+json\r?$/im);
        expect(head).not.toMatch(/x-evil|text\/html/i);
      }
      expect(api.hasEnded).toBe(false);
    },
  );

  it('does not break streams, lists and pages for other cameras', async () => {
    const all = RECORDS.map((_, n) => `camera=cam-${n + 1}`).join('&');
    const events = await openEvents(`${api.url}/events?camera=cam-0&${all}`);
    const streams = await Promise.all(
      RECORDS.slice(0, 20).map((_, n) => openMjpeg(`${api.url}/stream?camera=cam-${n + 1}`)),
    );
    await expect.poll(() => events.received.some(({ event }) => event === 'frame')).toBe(true);
    const list = await (await fetch(`${api.url}/cameras`)).json();
    const { cameras } = list as { cameras: { name: string; etag?: string }[] };
    expect(cameras.filter(({ etag }) => etag !== undefined).map(({ name }) => name)).toEqual([
      'cam-0',
    ]);
    expect((await fetch(api.url)).status).toBe(200);
    expect(streams.flatMap(({ received: seen }) => seen)).toEqual([]);
    for (const stream of [events, ...streams]) stream.close();
    await expectGoodServed();
  });

  it('does not replace the frame in memory', async () => {
    await expectGoodServed();
    const announced = { v: 1, kind: 'frame', cameraId: idOf(good), etag: '"x"', nextMs: 1 };
    const message = JSON.stringify({ ...announced, startedAgoMs: 0, capturedAgoMs: 0 });
    for (const [field, value] of RECORDS) {
      await storeRecord(good, { startedAt: '1790000000001', [field]: value });
      await fleet.redis.command('PUBLISH', keys().channel(idOf(good)), message);
      await expectGoodServed();
    }
    await storeRecord(good, {});
  });
});

it('malformed failures, health and announcements are ignored', async () => {
  const url = `${fleet.slow.url}/image/unknown`;
  const cameraId = idOf(url);
  for (const failure of [...FAILURES, ...ODD_FAILURES]) {
    await fleet.redis.command('SET', keys().failure(cameraId), JSON.stringify(failure));
    const { status, head } = await sendRawRequest(api.url, target(url));
    const isRead = ODD_FAILURES.some((odd) => odd === failure);
    expect([status, /x-evil|1e\+?308/i.test(head)]).toEqual([isRead ? 502 : 503, false]);
  }
  await fleet.redis.command('DEL', keys().failure(cameraId));
  const events = await openEvents(`${api.url}/events?camera=cam-0`);
  for (const health of HEALTHS) {
    const fields = Object.entries({ ...health, askedFrom: '1', askedUntil: '1e400' }).flat();
    await fleet.redis.command('HSET', keys().health(idOf(good)), ...fields);
    expect((await fetch(`${api.url}/cameras`)).status).toBe(200);
  }
  const times = ['1e308', '-1', '1e999', 'null', '"x"', '8640000000000001'];
  const kinds = ['frame', 'unchanged', 'failure', 'wait', 'started', 'purge'];
  for (const kind of kinds)
    for (const ms of times) {
      const fields = ['startedAgoMs', 'capturedAgoMs', 'nextMs', 'inMs', 'overMs', 'purgedAtMs'];
      const facts = ['startedAtMs', 'capturedAtMs', 'changedAtMs', 'goodSinceMs', 'sinceMs'];
      const numbers = (names: string[]) => names.map((name) => `"${name}":${ms}`).join(',');
      const message = `{"v":1,"kind":"${kind}","cameraId":"${idOf(good)}","etag":${JSON.stringify(GOOD.etag)},"status":502,"reason":"hold","mode":"hard",${numbers(fields)},"facts":{${numbers([...facts, 'lastMs', 'nextAtMs'])}}}`;
      await fleet.redis.command('PUBLISH', keys().channel(idOf(good)), message);
    }
  for (const message of ['', '{', '[]', 'null', '{"v":1}', '\0'])
    await fleet.redis.command('PUBLISH', keys().channel(idOf(good)), message);
  await expectGoodServed();
  events.close();
});

it('a key of another type, malformed purges and a malformed fleet id end no process', async () => {
  const url = `${fleet.slow.url}/image/another-kind`;
  await fleet.redis.command('SET', keys().frame(idOf(url)), 'a string');
  await fleet.redis.command('ZADD', keys().purges(idOf(url)), '1e308', '{"cameraId":1}', '1', 'x');
  await fleet.redis.command('SET', keys().fleet, 'x\r\nX-Evil: 1');
  await fleet.redis.command('SET', keys().epoch, `x ${'9'.repeat(400)}`);
  expect((await sendRawRequest(api.url, target(url))).status).toBe(503);
  await expectGoodServed();
});
