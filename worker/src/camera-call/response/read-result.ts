import type { Validators } from '@lastframe/shared/frames/frame-store';
import type { CachingHints } from '../caching-hints.ts';

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

/** A whole image. `bytes` count in the byte budget until the share is released. */
export interface ImageBody {
  outcome: 'read';
  bytes: Buffer;
  contentType: string;
}

/** Other calls use up the byte budget. Not the camera's fault. */
export interface NoRoom {
  outcome: 'no room';
}

/** A redirect, whether or not its source allows it. */
export interface Redirect {
  outcome: 'redirected';
  statusCode: number;
  location: string;
}

/** What became of a body. */
export type BodyResult = ImageBody | CaptureFailure | NoRoom;

/** What became of a response. */
export type ReadResult =
  | (ImageBody & { validators?: Validators | undefined; hints: CachingHints })
  | CaptureFailure
  | NoRoom
  | Redirect
  /** 304: the last image, known by the call's validators, is still current. */
  | { outcome: 'unchanged'; hints: CachingHints }
  /** The camera sent a challenge, which the next call answers. Not the camera's fault. */
  | { outcome: 'challenged' };

export const NO_ROOM: NoRoom = { outcome: 'no room' };

/** Returns the failure of a camera whose response cannot be used. */
export function badResponse(
  reason: string,
  error: string,
  more: Pick<CaptureFailure, 'receivedStatus' | 'retryAfterMs'> = {},
): CaptureFailure {
  return { outcome: 'failed', status: 502, reason, error, ...more };
}

export function tooLarge(maxBytes: number): CaptureFailure {
  const reason = `the camera's image is larger than ${maxBytes} bytes, the maxFrameSize of its source (MAX_FRAME_SIZE)`;
  return badResponse(reason, 'http_response_body_size');
}
