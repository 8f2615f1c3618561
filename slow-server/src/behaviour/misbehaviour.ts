import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, textAnswer } from '../http/answer.ts';
import { type Conditions, isNotModified } from '../http/conditional.ts';
import { COMMENT_SEGMENT, firstHalf, type Jpeg, padJpeg } from '../picture/jpeg.ts';
import type { Capture } from '../picture/stage.ts';
import type { Behaviour, Misbehaviour } from './behaviour.ts';

/** A call whose delay is over. */
export interface DueCall extends Conditions {
  behaviour: Behaviour;
  query: URLSearchParams;
  /** Draws the picture of this call, or of an earlier capture. */
  draw: (capture?: Capture) => Promise<Buffer>;
  /** Returns the capture at which this camera froze: this call's, if it was not frozen. */
  frozenCapture: () => Capture;
}

const HUGE_BYTES = 10 * 1024 ** 2;
const DRIP_EVERY_MS = 100;
const JPEG = { 'Content-Type': 'image/jpeg' };

/** Returns the good picture, or what the behaviour makes of it. */
export async function answerFor(call: DueCall): Promise<Answer> {
  const { status = 200, retryAfterS, as = 'image' } = call.behaviour;
  if (status === 200) return await ANSWERS[as](call);
  const headers: Record<string, string> =
    retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) };
  return textAnswer(
    status,
    `Simulated response: ${status} ${STATUS_CODES[status] ?? 'unknown status'}.`,
    headers,
  );
}

const ANSWERS: Record<Misbehaviour, (call: DueCall) => Answer | Promise<Answer>> = {
  image: async (call) => {
    const { maxAgeS } = call.behaviour;
    const answer = pictureAnswer(await pictureOf(call));
    if (maxAgeS === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, 'Cache-Control': `max-age=${maxAgeS}` } };
  },
  html: () =>
    wholeAnswer('<!doctype html><title>Camera offline</title><h1>This camera is offline</h1>\n'),
  empty: () => wholeAnswer(new Uint8Array(0)),
  cut: async (call) => wholeAnswer(firstHalf(await pictureOf(call))),
  truncated: async (call) => {
    const picture = await pictureOf(call);
    return { ...pictureAnswer(picture), body: { kind: 'cut', bytes: firstHalf(picture) } };
  },
  endless: async (call) => {
    const parts = endlessParts(await pictureOf(call));
    return { status: 200, headers: JPEG, body: { kind: 'parts', parts } };
  },
  drip: async (call) => {
    const picture = await pictureOf(call);
    return { ...pictureAnswer(picture), body: { kind: 'parts', parts: drippingBytes(picture) } };
  },
  huge: async (call) => pictureAnswer(await pictureOf(call, HUGE_BYTES)),
  gzip: async (call) => {
    const { parts } = await pictureOf(call);
    const zipped = await promisify(gzip)(Buffer.concat(parts));
    return wholeAnswer(zipped, { ...JPEG, 'Content-Encoding': 'gzip' });
  },
  redirect: ({ behaviour, query }) => {
    const location = behaviour.to ?? elsewhere(query);
    return textAnswer(302, `The picture is at ${location}.`, { Location: location });
  },
  frozen: frozenAnswer,
};

async function pictureOf({ draw, behaviour }: DueCall, defaultBytes?: number): Promise<Jpeg> {
  return padJpeg(await draw(), behaviour.bytes ?? defaultBytes);
}

function wholeAnswer(bytes: Uint8Array | string, headers: Record<string, string> = JPEG): Answer {
  return { status: 200, headers, body: { kind: 'whole', bytes } };
}

function pictureAnswer({ parts, sizeBytes }: Jpeg): Answer {
  const headers = { ...JPEG, 'Content-Length': String(sizeBytes) };
  const [only] = parts;
  if (only && parts.length === 1) return wholeAnswer(only, headers);
  return { status: 200, headers, body: { kind: 'parts', parts } };
}

async function frozenAnswer(call: DueCall): Promise<Answer> {
  const { behaviour, draw, frozenCapture } = call;
  const capture = frozenCapture();
  const identity = JSON.stringify([capture, behaviour.size, behaviour.bytes]);
  const etag = `"${createHash('sha256').update(identity).digest('hex').slice(0, 32)}"`;
  const lastModified = new Date(capture.atMs).toUTCString();
  const headers = { ETag: etag, 'Last-Modified': lastModified };
  if (isNotModified({ etag, lastModifiedMs: capture.atMs }, call))
    return textAnswer(304, '', headers);
  const answer = pictureAnswer(padJpeg(await draw(capture), behaviour.bytes));
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** Returns another picture's path with the rest of the query, which does not redirect again. */
function elsewhere(query: URLSearchParams): string {
  const rest = new URLSearchParams(query);
  for (const key of ['as', 'to', 'status', 'retryAfter']) rest.delete(key);
  return rest.size === 0 ? '/image/elsewhere' : `/image/elsewhere?${rest}`;
}

function* endlessParts(picture: Jpeg): Generator<Uint8Array> {
  yield firstHalf(picture);
  while (true) yield COMMENT_SEGMENT;
}

async function* drippingBytes({ parts }: Jpeg): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      yield part.subarray(i, i + 1);
      await wait(DRIP_EVERY_MS);
    }
  }
}
