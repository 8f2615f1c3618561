import type { Camera } from '../cameras/camera.ts';

/** How long a camera's frame and health are kept, and how full its Redis may be. */
export interface FrameLimits {
  staleForMs: number;
  /** Minimum; a frame is kept longer if the camera has been in use longer. */
  keepMs: number;
  keepHealthMs: number;
  /** Shares of `maxmemory` up to which Redis accepts a first frame, or one larger than the last. */
  firstLimit: number;
  growthLimit: number;
}

/** Above this share of its memory, Redis rejects first frames of unnamed cameras. */
export const NEW_CAMERAS_LIMIT = 0.7;
/** Above this share, frames of unnamed cameras may not grow. */
const UNNAMED_GROWTH_LIMIT = 0.8;
/** Above this share, no frame may grow: the rest is for permits and jobs. */
export const NAMED_LIMIT = 0.9;

const HEALTH_KEPT_MS = 24 * 3_600_000;
const CALLS_KEPT = 2;

/**
 * Returns the limits of a camera. Named cameras are few, because an operator names them. Viewers
 * can make up others at will: what a single request stores lasts minutes and never displaces
 * watched cameras.
 * @param nextMs time until the next call, for a camera that requires a long wait or changes rarely
 */
export function frameLimitsOf(camera: Camera, nextMs = 0): FrameLimits {
  const { staleForMs } = camera.source;
  if (camera.name !== undefined) {
    const limits = { firstLimit: NAMED_LIMIT, growthLimit: NAMED_LIMIT };
    return { staleForMs, keepMs: staleForMs, keepHealthMs: HEALTH_KEPT_MS, ...limits };
  }
  const keepMs = minKeepMs(camera, nextMs);
  const limits = { firstLimit: NEW_CAMERAS_LIMIT, growthLimit: UNNAMED_GROWTH_LIMIT };
  return { staleForMs, keepMs: Math.min(keepMs, staleForMs), keepHealthMs: keepMs, ...limits };
}

/** Long enough for the next refresh to arrive, if anybody still wants one. */
function minKeepMs({ source }: Camera, nextMs: number): number {
  return Math.max(source.unnamedStaleForMs, untilNextCallsMs(source, nextMs));
}

/** Returns how long a camera must go without requests before it may lose its place. */
export function idleAfterMs({ source }: Pick<Camera, 'source'>, nextMs = 0): number {
  return Math.max(source.unnamedStaleForMs / 5, untilNextCallsMs(source, nextMs));
}

function untilNextCallsMs(source: Camera['source'], nextMs: number): number {
  const { intervalMs, timeoutMs, startAllowanceMs } = source;
  return CALLS_KEPT * Math.max(intervalMs, nextMs) + timeoutMs + startAllowanceMs;
}
