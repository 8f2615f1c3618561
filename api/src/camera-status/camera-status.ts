import {
  type HealthFacts,
  type HealthState,
  healthOf,
} from '@lastframe/shared/cameras/camera-health';
import type { Source } from '@lastframe/shared/cameras/source';
import type { Frame } from '@lastframe/shared/frames/frame';
import type { HeldFrame } from '../cache/held-frame.ts';

/** A frame without its bytes. */
export type FrameFacts = Omit<Frame, 'cameraId' | 'bytes'> & { sizeBytes: number };

/** A camera at one instant, as in events and the list of cameras. */
export interface CameraState {
  frame?: FrameFacts | undefined;
  facts: HealthFacts;
  health: HealthState;
}

/** What changed: the picture, its age, a failed call, or only the health as time passed. */
export type UpdateKind = 'frame' | 'unchanged' | 'failure' | 'health';

export function stateOf(
  { frame, facts }: Pick<CameraState, 'frame' | 'facts'>,
  source: Source,
  nowMs: number,
): CameraState {
  return { frame, facts, health: healthOf({ ...facts, ...(frame && { frame }) }, source, nowMs) };
}

export function factsOfHeld({ bytes, ...held }: HeldFrame): FrameFacts {
  const { etag, contentType, dimensions, startedAtMs, capturedAtMs, changedAtMs, freshForMs } =
    held;
  const times = { startedAtMs, capturedAtMs, changedAtMs, freshForMs };
  return { etag, contentType, sizeBytes: bytes.length, dimensions, ...times };
}

/** Returns what changed between two states; undefined if nothing did. A first state is a change. */
export function updateBetween(
  before: CameraState | undefined,
  after: CameraState,
): UpdateKind | undefined {
  const { frame, facts, health } = after;
  const hasFailed = (facts.failure?.lastMs ?? 0) > (before?.facts.failure?.lastMs ?? 0);
  if (frame && frame.etag !== before?.frame?.etag) return 'frame';
  if (frame && frame.startedAtMs > (before?.frame?.startedAtMs ?? 0)) return 'unchanged';
  if (hasFailed && health.health === 'failing') return 'failure';
  if (before === undefined) return 'health';
  const { health: healthBefore, reason } = before.health;
  return health.health === healthBefore && health.reason === reason ? undefined : 'health';
}

/** Returns a state for JSON. */
export function describeState({ frame, health }: CameraState, nowMs: number) {
  return {
    ...(frame && {
      etag: frame.etag,
      contentType: frame.contentType,
      sizeBytes: frame.sizeBytes,
      ...frame.dimensions,
      startedAt: timestamp(frame.startedAtMs),
      capturedAt: timestamp(frame.capturedAtMs),
      changedAt: timestamp(frame.changedAtMs),
      ageMs: Math.max(0, Math.round(nowMs - frame.capturedAtMs)),
    }),
    health: health.health,
    ...(health.sinceMs !== undefined && { healthSince: timestamp(health.sinceMs) }),
    ...(health.reason !== undefined && { reason: health.reason }),
  };
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
