import type { Camera } from '../cameras/camera.ts';

/** How long a camera's frame and health are kept, and how full its Redis may be. */
export interface FrameLimits {
  staleForMs: number;
  /** A frame is kept for so long, or longer where the camera was in use for longer. */
  keepMs: number;
  keepHealthMs: number;
  /** The shares of `maxmemory` that a first frame, and one larger than the last, may fill. */
  firstLimit: number;
  growthLimit: number;
}

/** Above this share of its memory a Redis takes no first frames of unnamed cameras. */
export const NEW_CAMERAS_LIMIT = 0.7;
/** Above this one frames of unnamed cameras may not grow. */
const UNNAMED_GROWTH_LIMIT = 0.8;
/** Above this one no frame may grow: what is left is for permits and jobs. */
export const NAMED_LIMIT = 0.9;

const HEALTH_KEPT_MS = 24 * 3_600_000;
const CALLS_KEPT = 2;

/**
 * An operator names cameras, so there are only so many of them. A viewer can make up the others at
 * will: what one glance leaves behind lasts minutes, and never takes the place of what is watched.
 * @param nextMs until the next call, when the camera may not be called for long
 */
export function frameLimitsOf(camera: Camera, nextMs = 0): FrameLimits {
  const { staleForMs } = camera.source;
  if (camera.name !== undefined) {
    const limits = { firstLimit: NAMED_LIMIT, growthLimit: NAMED_LIMIT };
    return { staleForMs, keepMs: staleForMs, keepHealthMs: HEALTH_KEPT_MS, ...limits };
  }
  const keepMs = leastKeepMs(camera, nextMs);
  const limits = { firstLimit: NEW_CAMERAS_LIMIT, growthLimit: UNNAMED_GROWTH_LIMIT };
  return { staleForMs, keepMs: Math.min(keepMs, staleForMs), keepHealthMs: keepMs, ...limits };
}

/** Until its next refresh has surely come, if anybody still wants one. */
function leastKeepMs({ source }: Camera, nextMs: number): number {
  return Math.max(source.unnamedStaleForMs, untilNextCallsMs(source, nextMs));
}

/** A fifth of the time that its frame is kept at least: so long unasked, a camera may give up its place. */
export function idleAfterMs({ source }: Pick<Camera, 'source'>, nextMs = 0): number {
  return Math.max(source.unnamedStaleForMs / 5, untilNextCallsMs(source, nextMs));
}

function untilNextCallsMs(source: Camera['source'], nextMs: number): number {
  const { intervalMs, timeoutMs, startAllowanceMs } = source;
  return CALLS_KEPT * Math.max(intervalMs, nextMs) + timeoutMs + startAllowanceMs;
}
