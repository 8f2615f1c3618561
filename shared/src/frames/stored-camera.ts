import type { HealthFacts } from '../cameras/camera-health.ts';
import { decodeFailure, type Failure } from '../messages/announcement.ts';
import { RedisUnavailableError } from '../process/errors.ts';
import { durationMs, reasonText, storedTimeMs, timeMs } from '../redis/redis-values.ts';
import { decodeStoredFrame, type FrameHead, type StoredFrame } from './stored-frame.ts';

/** A camera's records in the store at one instant of its clock. */
export interface StoredCamera {
  /** That instant. */
  nowMs: number;
  frame?: StoredFrame;
  failure?: Failure;
  facts: HealthFacts;
  /** The invalid field of a malformed frame record. */
  malformed?: string;
}

type Texts = (Buffer | null)[];
/** The reply of `read-frame.lua`. */
export type ReadReply = [
  nowMs: number,
  head: FrameHead,
  bytes: Buffer | null,
  sizeBytes: number,
  failure: Buffer | null,
  failureLeftMs: number,
  health: Texts,
];

/** @throws RedisUnavailableError if Redis's own clock is out of range */
export function decodeStoredCamera(cameraId: string, reply: ReadReply): StoredCamera {
  const [now, head, bytes, sizeBytes, failureText, failureLeftMs, health] = reply;
  const nowMs = timeMs.safeParse(now).data;
  if (nowMs === undefined) throw new RedisUnavailableError('the clock of Redis is out of range');
  const failure = failureText ? rememberedFailure(failureText, failureLeftMs) : undefined;
  const facts = decodeFacts(health);
  const known = { nowMs, ...(failure && { failure }) };
  const found = decodeStoredFrame(cameraId, head, { bytes, sizeBytes }, nowMs);
  if (!found || 'malformed' in found) return { ...known, facts, ...found };
  const { startedAtMs, capturedAtMs, changedAtMs, freshForMs } = found.frame;
  const times = { startedAtMs, capturedAtMs, changedAtMs };
  return {
    ...known,
    facts: { ...facts, frame: { ...times, ...(freshForMs !== undefined && { freshForMs }) } },
    frame: found.frame,
  };
}

function rememberedFailure(text: Buffer, leftMs: number): Failure | undefined {
  const failure = decodeFailure(text.toString());
  // Negative if the key never expires.
  return failure && { ...failure, nextMs: durationMs.safeParse(leftMs).data ?? 0 };
}

/** Omits facts that cannot be read. */
function decodeFacts([good, since, last, next, reason, from, until]: Texts): HealthFacts {
  const [goodSinceMs, sinceMs, lastMs] = [good, since, last].map(storedTimeMs);
  const [nextAtMs, fromMs, untilMs] = [next, from, until].map(storedTimeMs);
  const words = reasonText.safeParse(reason?.toString() ?? '').data;
  const isFailing =
    sinceMs !== undefined && lastMs !== undefined && nextAtMs !== undefined && words !== undefined;
  return {
    ...(goodSinceMs !== undefined && { goodSinceMs }),
    ...(isFailing && { failure: { sinceMs, lastMs, nextAtMs, reason: words } }),
    ...(fromMs !== undefined && untilMs !== undefined && { asked: { fromMs, untilMs } }),
  };
}
