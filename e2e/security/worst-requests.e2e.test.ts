import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { sendRawRequest } from './ask.ts';
import { repeatedTexts } from './parsers.ts';

const BURST = 12;
/** Below Node's own limit for the head of a request. */
const HEADER_LENGTH = 30_000;
const URL_LENGTH = 4000;
const NAMES = [
  'Prefer',
  'Via',
  'If-None-Match',
  'If-Modified-Since',
  'If-Range',
  'Range',
  'Accept',
];
const PROXIED = ['X-Forwarded-For', 'Authorization', 'Traceparent', 'Last-Event-ID'];

let fleet: Fleet;
let api = '';
let watched = '';

beforeAll(async () => {
  fleet = await startFleet({ apis: 0 });
  const { slow } = fleet;
  // Sources are tried in order, so every URL is matched against the one with many stars.
  const env = {
    ALLOWED_SOURCES: `${slow.url}/*/*/*/*.jpg,${slow.url}/*a*b*c*?*d*e*,${slow.url}/image/*`,
  };
  const apiProcess = await fleet.startApi({
    ...env,
    PLACEHOLDER: 'true',
    TRUSTED_PROXIES: '127.0.0.0/8',
  });
  api = apiProcess.url;
  watched = slow.camera('watched');
  expect((await apiProcess.image(watched)).status).toBe(200);
});

afterAll(async () => await fleet?.checkAndStop());

/** Returns the slowest of another client's hits while `during` is pending. */
async function slowestHitMs(during: Promise<unknown>): Promise<number> {
  let isOver = false;
  void during.finally(() => {
    isOver = true;
  });
  let slowestMs = 0;
  do {
    const before = performance.now();
    const { status } = await sendRawRequest(api, `/images?url=${encodeURIComponent(watched)}`);
    expect(status).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - before);
  } while (!isOver);
  await during;
  return slowestMs;
}

const repeat = (unit: string, length: number) =>
  unit
    .repeat(length)
    .slice(0, length)
    .replace(/[\r\n\0]/g, ' ');

async function inBursts(requests: [target: string, headers: string[]][]): Promise<void> {
  for (let from = 0; from < requests.length; from += BURST) {
    const burst = requests.slice(from, from + BURST);
    await Promise.all(burst.map(([target, headers]) => sendRawRequest(api, target, headers)));
  }
}

it('the worst headers and URLs of one client do not delay the hits of another', async () => {
  const target = `/images?url=${encodeURIComponent(watched)}`;
  const plain = Array.from({ length: 150 }, (): [string, string[]] => [target, ['Prefer: a']]);
  const usualMs = await slowestHitMs(inBursts(plain));
  const headers = [...NAMES, ...PROXIED].flatMap((name) =>
    repeatedTexts.map((unit): [string, string[]] => [
      target,
      [`${name}: a${repeat(unit, HEADER_LENGTH / Buffer.byteLength(unit) - 200)}x`],
    ]),
  );
  const urls = ['/', 'a/', '//', '.', ';', '%25', 'abc', 'a.jpg/'].map(
    (unit): [string, string[]] => [
      `/images?url=${encodeURIComponent(`${fleet.slow.url}/${repeat(unit, URL_LENGTH)}`).slice(0, 13_000)}`,
      [],
    ],
  );
  const queries = ['&', '=&', 'url&', '%25&', '+'].map((unit): [string, string[]] => [
    `/events?${repeat(unit, 13_000)}`,
    [],
  ]);
  const worstMs = await slowestHitMs(inBursts([...headers, ...urls, ...queries]));
  // A single one used to take over a second, and a burst has 12.
  expect(worstMs).toBeLessThan(Math.max(5000, 10 * usualMs));
});
