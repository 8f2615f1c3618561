import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { FRESH, testOf } from './camera-side.ts';
import { openLetter } from './letter.ts';
import type { Suite } from './suite.ts';
import { type SeenFrame, toLastframe } from './translate.ts';

interface FetchInit {
  method?: string;
  headers?: [string, string][];
  body?: string;
}

/** As much of a `Response` as the suite's client looks at; the real one allows no status 999. */
interface SuiteResponse {
  status: number;
  statusText: string;
  headers: Headers;
  text(): Promise<string>;
}

export interface Sides {
  apiUrl: string;
  originUrl: string;
  cameraUrl: string;
  /** How many calls for a test the camera has answered. */
  callsFor(test: string): number;
}

/** A stale frame is answered before the camera is called: time for that call to have come. */
const REFRESH_WITHIN_MS = 4000;
const LOOK_EVERY_MS = 50;

/** The `fetch` for the suite's client: tests go through Lastframe, the rest to the suite's origin. */
export function viewerSide(sides: Sides, { httpDate }: Suite) {
  const expectedCalls = new Map<string, number>();
  const seenByPath = new Map<string, SeenFrame>();
  /** Tests in which nothing may become stale, however long they take. */
  const freshTests = new Set<string>();

  const viaLastframe = async (path: string, init: FetchInit): Promise<SuiteResponse> => {
    const camera = sides.cameraUrl + (freshTests.has(testOf(path)) ? FRESH : '') + path;
    const url = `${sides.apiUrl}/images?url=${encodeURIComponent(camera)}`;
    const headers = toLastframe(plain(init.headers), seenByPath.get(path), httpDate);
    const { answer, bytes } = await ask(url, { method: init.method ?? 'GET', headers });
    if (answer.statusCode === 200 && bytes.length > 0) {
      seenByPath.set(path, {
        letter: openLetter(bytes),
        etag: answer.headers.etag ?? '',
        lastModified: answer.headers['last-modified'] ?? '',
      });
    }
    return fromLastframe(answer, bytes, seenByPath.get(path));
  };

  return async (url: string, init: FetchInit = {}): Promise<SuiteResponse | Response> => {
    const path = url.slice(sides.originUrl.length);
    const [, kind = '', test = ''] = path.split('/');
    if (kind === 'test') return viaLastframe(path, init);
    if (kind === 'config') {
      const calls = callsExpectedBy(init.body ?? '[]');
      expectedCalls.set(test, calls);
      if (calls === 1) freshTests.add(test);
    }
    if (kind === 'state') {
      const deadlineMs = performance.now() + REFRESH_WITHIN_MS;
      while (
        sides.callsFor(test) < (expectedCalls.get(test) ?? 0) &&
        performance.now() < deadlineMs
      ) {
        await sleep(LOOK_EVERY_MS);
      }
    }
    return fetch(url, init);
  };
}

function callsExpectedBy(config: string): number {
  const requests = JSON.parse(config) as { expected_type?: string }[];
  return requests.filter(({ expected_type }) => expected_type !== 'cached').length;
}

function plain(headers: [string, string][] = []): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
}

async function ask(url: string, init: { method: string; headers: Record<string, string> }) {
  const req = request(url, init).end();
  const [answer] = (await once(req, 'response')) as [IncomingMessage];
  return { answer, bytes: await buffer(answer) };
}

/**
 * Status and headers are Lastframe's. What the origin said end to end is added, since the suite's
 * client takes it for granted; `Age` and `Date` never are, and nothing to an answer without a frame.
 */
function fromLastframe(
  answer: IncomingMessage,
  bytes: Buffer,
  seen: SeenFrame | undefined,
): SuiteResponse {
  const status = answer.statusCode ?? 0;
  const headers = new Headers(flat(answer));
  const isTheFrame = seen !== undefined && headers.get('etag') === seen.etag;
  if (isTheFrame) {
    const { age: _age, date: _date, ...carried } = seen.letter.headers;
    const added = status === 304 ? validatorsIn(carried) : carried;
    for (const [name, value] of Object.entries(added)) headers.set(name, value);
  }
  // The client looks for unwanted headers as properties, which no `Headers` has.
  Object.assign(headers, namedAsTheSuiteDoes(headers));
  const text = async () => bodyOf(answer, bytes, seen);
  return { status, statusText: answer.statusMessage ?? '', headers, text };
}

function validatorsIn(carried: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(carried).filter(([name]) => name === 'etag' || name === 'last-modified'),
  );
}

function flat({ headersDistinct }: IncomingMessage): [string, string][] {
  return Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
}

/** `keep-alive` is `Keep-Alive` to the suite. */
function namedAsTheSuiteDoes(headers: Headers): Record<string, string> {
  const named = [...headers].map(([name, value]) => [
    name === 'te' ? 'TE' : name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(named);
}

function bodyOf(answer: IncomingMessage, bytes: Buffer, seen: SeenFrame | undefined): string {
  if (answer.statusCode === 200 && bytes.length > 0) return openLetter(bytes).body;
  if (answer.statusCode !== 206 || seen === undefined) return bytes.toString();
  // A range to the end of the text goes on to the end of the JPEG.
  const [, last = 0] = /-(\d+)\//.exec(answer.headers['content-range'] ?? '') ?? [];
  const bodyEndsAt = seen.letter.bodyAt + seen.letter.body.length;
  const behindBodyBytes = Math.max(0, Number(last) + 1 - bodyEndsAt);
  return bytes.toString('utf8', 0, bytes.length - behindBodyBytes);
}
