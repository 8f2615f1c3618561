import type { IncomingMessage } from 'node:http';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import type { AnswerGuard } from './answer-guard.ts';
import type { ByteShare } from './byte-budget.ts';
import { retryAfterMs } from './retry-after.ts';
import { validatorsOf } from './validators.ts';

export interface Fault {
  fault: string;
  /** An error type of RFC 9209. */
  error?: string | undefined;
  receivedStatus?: number | undefined;
  retryAfterMs?: number | undefined;
}
/** `bytes` hold their share of the byte budget until it is released. */
export type Body = { bytes: Buffer; validators?: Validators | undefined };
export type Answer = Body | 'unchanged' | 'challenged' | 'no room' | Fault;

export interface Reading {
  maxBytes: number;
  /** Opens the call's share of the byte budget; `evict` is called when it must make room. */
  openShare: (evict: () => void) => ByteShare;
  guard: Pick<AnswerGuard, 'countBody'>;
  /** Only then a 304 means something. */
  isConditional: boolean;
  /** The answer only tells how to ask. */
  isChallenge: (res: IncomingMessage) => boolean;
}

/** Reads a response to its end, or says what is wrong with it. */
export async function readAnswer(res: IncomingMessage, reading: Reading): Promise<Answer> {
  const { statusCode = 0, headers } = res;
  const { maxBytes, isConditional } = reading;
  // Other numbers can't be passed on: neither HTTP nor our own announcements know them.
  if (statusCode < 100 || statusCode > 599) {
    const fault = 'the camera answered with a status that HTTP does not have';
    return { fault, error: 'http_protocol_error' };
  }
  if (reading.isChallenge(res)) return 'challenged';
  if (statusCode === 304 && isConditional) return 'unchanged';
  if (statusCode !== 200) {
    const asked = statusCode === 429 || statusCode === 503;
    return {
      fault: `the camera answered ${statusCode}`,
      error: 'destination_unavailable',
      receivedStatus: statusCode,
      retryAfterMs: asked ? retryAfterMs(headers['retry-after'], headers.date) : undefined,
    };
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    const fault = 'the camera sent a compressed body without being asked to';
    return { fault, error: 'http_response_content_coding' };
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const body = await readBody(res, reading);
  if (body === 'no room' || 'fault' in body) return body;
  return { ...body, validators: validatorsOf(headers) };
}

/**
 * Counts while it reads: an endless body costs no more than the largest image. Not by iterating,
 * which costs a promise for each piece, however small.
 */
function readBody(
  res: IncomingMessage,
  { maxBytes, openShare, guard }: Reading,
): Promise<Body | 'no room' | Fault> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (body: 'no room' | Fault) => {
      share.release();
      chunks.length = 0;
      resolve(body);
      res.destroy();
    };
    const share = openShare(() => stop('no room'));
    // What is announced is taken at once: else many large bodies would be read in part, and end as
    // none of them finds room.
    let taken = Number(res.headers['content-length'] ?? 0) || 0;
    if (!share.take(taken)) return stop('no room');
    res.on('data', (chunk: Buffer) => {
      if (res.destroyed) return;
      size += chunk.length;
      if (size > maxBytes) return stop(tooLarge(maxBytes));
      if (size > taken && !share.take(size - taken)) return stop('no room');
      taken = Math.max(taken, size);
      chunks.push(chunk);
      guard.countBody(chunk.length);
    });
    res.on('end', () => {
      if (res.destroyed) return;
      share.keep();
      resolve({ bytes: Buffer.concat(chunks, size) });
      chunks.length = 0;
    });
    const fail = (error: Error) => {
      if (!res.complete) share.release();
      reject(error);
    };
    res.on('error', fail);
    res.on('close', () => fail(new Error('the camera closed the connection')));
  });
}

function tooLarge(maxBytes: number): Fault {
  const fault = `the camera's image is larger than ${maxBytes} bytes`;
  return { fault, error: 'http_response_body_size' };
}
