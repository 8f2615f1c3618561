import { type Cadence, observe } from '../cadence/cadence.ts';
import { nextCallMs } from '../cadence/next-call.ts';
import type { CachingHints } from '../camera-call/caching-hints.ts';

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** What is known when a virtual camera responds. */
export interface VirtualResponse {
  atMs: number;
  changedAtMs: number;
  nextChangeAtMs: number;
}

export interface VirtualCamera {
  /** When its picture changes, in ascending order, from before the first call until after the last. */
  changesMs: readonly number[];
  hints?: (response: VirtualResponse) => Partial<CachingHints>;
  callMs?: number;
  intervalMs?: number;
  maxIntervalMs?: number;
  /** Returns whether anybody watches it then; if not, it is not called. */
  isWatched?: (ms: number) => boolean;
}

export interface CallHistory {
  /** When each call was sent. */
  callsMs: number[];
  /** Each change, and how much later a call had fetched it or a later picture. */
  seen: { changedAtMs: number; lateMs: number }[];
}

/** A picture may be older than the first call. */
const EPOCH_MS = 1_800_000_000_000;
/** Jobs and permits take a moment. */
const LAG_MS = 30;

/** Watches a camera in virtual time, calling it whenever its last frame is due. */
export function simulateCalls(camera: VirtualCamera, hours: number): CallHistory {
  const { changesMs, callMs = 300, intervalMs = 5000, maxIntervalMs = 600_000 } = camera;
  const watched: CallHistory = { callsMs: [], seen: [] };
  let cadence: Cadence | undefined;
  let next = changesMs.findIndex((ms) => ms > 0);
  for (let sentAtMs = 0; sentAtMs < hours * HOUR_MS; ) {
    if (camera.isWatched?.(sentAtMs) === false) {
      sentAtMs += 1000;
      continue;
    }
    watched.callsMs.push(sentAtMs);
    const atMs = sentAtMs + callMs / 2;
    const receivedAtMs = sentAtMs + callMs;
    const changed: number[] = [];
    for (; (changesMs[next] ?? Number.POSITIVE_INFINITY) <= atMs; next += 1) {
      changed.push(changesMs[next] ?? 0);
    }
    watched.seen.push(...changed.map((ms) => ({ changedAtMs: ms, lateMs: receivedAtMs - ms })));
    const response = {
      atMs,
      changedAtMs: changesMs[next - 1] ?? 0,
      nextChangeAtMs: changesMs[next] ?? Number.POSITIVE_INFINITY,
    };
    const hints = { isCopy: false, ...camera.hints?.(response) };
    const times = { sentAtMs: EPOCH_MS + sentAtMs, receivedAtMs: EPOCH_MS + receivedAtMs };
    cadence = observe(cadence, { etag: `"${next}"`, ...times, hints });
    const limits = { intervalMs, maxIntervalMs };
    const dueMs = nextCallMs(cadence, times.sentAtMs, limits) - EPOCH_MS;
    sentAtMs = Math.max(dueMs, receivedAtMs) + LAG_MS;
  }
  return watched;
}

/** Returns changes at regular times, or up to `jitterMs` before or after them. */
export function regularChanges(
  everyMs: number,
  {
    firstMs = 0,
    hours = 10,
    jitterMs = 0,
    random = () => 0.5,
  }: { firstMs?: number; hours?: number; jitterMs?: number; random?: () => number } = {},
): number[] {
  const changesMs = [];
  for (let ms = firstMs - 2 * everyMs; ms < firstMs + (hours + 2) * HOUR_MS; ms += everyMs) {
    changesMs.push(ms + (2 * random() - 1) * jitterMs);
  }
  return changesMs;
}

/** Returns the same random numbers for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
