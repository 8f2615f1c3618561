import type { IncomingMessage } from 'node:http';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import type { ByteShare } from './byte-budget.ts';
import type { ResponseGuard } from './response-guard.ts';
import { retryAfterMs } from './retry-after.ts';
import { validatorsOf } from './validators.ts';

export interface CaptureFailure {
  outcome: 'failed';
  status: 502 | 504;
  /** For people; contains no address, header or secret. */
  reason: string;
  /** An error type of RFC 9209. */
  error?: string | undefined;
  receivedStatus?: number | undefined;
  /** From the camera's `Retry-After`. */
  retryAfterMs?: number | undefined;
}

/** `bytes` count in the byte budget until the share is released. */
export type Body = { outcome: 'read'; bytes: Buffer; validators?: Validators | undefined };
export type ReadResult =
  | Body
  | CaptureFailure
  /** 304: the last image, known by the call's validators, is still current. */
  | { outcome: 'unchanged' }
  /** The camera sent a challenge, which the next call answers. Not the camera's fault. */
  | { outcome: 'challenged' }
  | NoRoom;
/** Other calls use up the byte budget. Not the camera's fault. */
type NoRoom = { outcome: 'no room' };
const NO_ROOM: NoRoom = { outcome: 'no room' };

/** Returns the failure of a camera whose response cannot be used. */
export function badResponse(
  reason: string,
  error: string,
  more: Pick<CaptureFailure, 'receivedStatus' | 'retryAfterMs'> = {},
): CaptureFailure {
  return { outcome: 'failed', status: 502, reason, error, ...more };
}

export interface ReadOptions {
  maxBytes: number;
  /** Opens the call's share of the byte budget; `evict` is called when it must make room. */
  openShare: (evict: () => void) => ByteShare;
  guard: Pick<ResponseGuard, 'countBody'>;
  /** Without conditions, a 304 is a fault. */
  isConditional: boolean;
  /** Returns whether the next call can answer this response as a challenge. */
  isChallenge: (res: IncomingMessage) => boolean;
}

/** Reads a response to its end, or returns what is wrong with it. */
export async function readResponse(
  res: IncomingMessage,
  reading: ReadOptions,
): Promise<ReadResult> {
  const { statusCode = 0, headers } = res;
  const { maxBytes, isConditional } = reading;
  // Neither HTTP nor announcements allow other numbers.
  if (statusCode < 100 || statusCode > 599) {
    return badResponse('the camera responded with an invalid HTTP status', 'http_protocol_error');
  }
  if (reading.isChallenge(res)) return { outcome: 'challenged' };
  if (statusCode === 304 && isConditional) return { outcome: 'unchanged' };
  if (statusCode !== 200) {
    const mayRetryLater = statusCode === 429 || statusCode === 503;
    return badResponse(`the camera responded with ${statusCode}`, 'destination_unavailable', {
      receivedStatus: statusCode,
      retryAfterMs: mayRetryLater ? retryAfterMs(headers['retry-after'], headers.date) : undefined,
    });
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    const reason = 'the camera sent a compressed body, which was not requested';
    return badResponse(reason, 'http_response_content_coding');
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const body = await readBody(res, reading);
  return body.outcome === 'read' ? { ...body, validators: validatorsOf(headers) } : body;
}

/**
 * Counts while reading: an endless body costs no more than the largest image. Uses events, since
 * iterating costs a promise for each piece, however small.
 */
function readBody(
  res: IncomingMessage,
  { maxBytes, openShare, guard }: ReadOptions,
): Promise<Body | NoRoom | CaptureFailure> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (body: NoRoom | CaptureFailure) => {
      share.release();
      chunks.length = 0;
      resolve(body);
      res.destroy();
    };
    const share = openShare(() => stop(NO_ROOM));
    // Reserves the announced size at once: otherwise many large bodies would be read in part, and
    // none of them would find room for the rest.
    let reservedBytes = Number(res.headers['content-length'] ?? 0) || 0;
    if (!share.reserve(reservedBytes)) return stop(NO_ROOM);
    res.on('data', (chunk: Buffer) => {
      if (res.destroyed) return;
      size += chunk.length;
      if (size > maxBytes) return stop(tooLarge(maxBytes));
      if (size > reservedBytes && !share.reserve(size - reservedBytes)) return stop(NO_ROOM);
      reservedBytes = Math.max(reservedBytes, size);
      chunks.push(chunk);
      guard.countBody(chunk.length);
    });
    res.on('end', () => {
      if (res.destroyed) return;
      share.markComplete();
      resolve({ outcome: 'read', bytes: Buffer.concat(chunks, size) });
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

function tooLarge(maxBytes: number): CaptureFailure {
  const reason = `the camera's image is larger than ${maxBytes} bytes`;
  return badResponse(reason, 'http_response_body_size');
}
