import { decodeFailure, type Failure } from './announcement.ts';
import type { HealthFacts } from './camera-health.ts';
import type { Frame } from './frame.ts';

/** What the store knows of a camera at one instant of its clock. */
export interface StoredCamera {
  /** That instant. */
  nowMs: number;
  /** `bytes` are missing when the reader said that it has them, or wants none. */
  frame?: Omit<Frame, 'bytes'> & {
    bytes?: Buffer;
    sizeBytes: number;
    startedAgoMs: number;
    capturedAgoMs: number;
  };
  failure?: Failure;
  facts: HealthFacts;
}

type Texts = (Buffer | null)[];
/** What `read-frame.lua` answers. */
export type ReadReply = [
  nowMs: number,
  head: Texts,
  bytes: Buffer | null,
  sizeBytes: number,
  failure: Buffer | null,
  failureLeftMs: number,
  health: Texts,
];

export function decodeStoredCamera(cameraId: string, reply: ReadReply): StoredCamera {
  const [now, head, bytes, sizeBytes, failureText, failureLeftMs, health] = reply;
  const nowMs = Number(now);
  const decoded = failureText ? decodeFailure(failureText.toString()) : undefined;
  const failure = decoded && { ...decoded, nextMs: Math.max(0, Number(failureLeftMs)) };
  const [startedAt, capturedAt, changedAt, type, etag, width, height] = head;
  const facts = decodeFacts(health);
  const known = { nowMs, ...(failure && { failure }) };
  if (!startedAt || !capturedAt || !changedAt || !type || !etag) return { ...known, facts };
  const startedAtMs = Number(startedAt);
  const capturedAtMs = Number(capturedAt);
  const changedAtMs = Number(changedAt);
  return {
    ...known,
    facts: { ...facts, frame: { startedAtMs, capturedAtMs, changedAtMs } },
    frame: {
      cameraId,
      contentType: type.toString(),
      etag: etag.toString(),
      ...(bytes ? { bytes } : {}),
      sizeBytes: Number(sizeBytes),
      ...(Number(width) > 0 &&
        Number(height) > 0 && { dimensions: { width: Number(width), height: Number(height) } }),
      startedAtMs,
      capturedAtMs,
      changedAtMs,
      // Never negative: a clock set back must not make a frame fresh for an hour.
      startedAgoMs: Math.max(0, nowMs - startedAtMs),
      capturedAgoMs: Math.max(0, nowMs - capturedAtMs),
    },
  };
}

function decodeFacts(health: Texts): HealthFacts {
  const [good, since, last, next, reason, from, until] = health;
  return {
    ...(good && { goodSinceMs: Number(good) }),
    ...(since &&
      last &&
      next && {
        failure: {
          sinceMs: Number(since),
          lastMs: Number(last),
          nextAtMs: Number(next),
          reason: reason?.toString() ?? '',
        },
      }),
    ...(from && until && { asked: { fromMs: Number(from), untilMs: Number(until) } }),
  };
}
