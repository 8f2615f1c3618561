import type { Camera } from '@lastframe/shared/cameras/camera';
import { isIntervalVariable } from '@lastframe/shared/cameras/fresh-time';
import type { CadenceDecision, KnownFrame } from '@lastframe/shared/frames/frame-store';
import { type Cadence, observe } from '../cadence/cadence.ts';
import { nextCallMs } from '../cadence/next-call.ts';
import { decodeCadence, encodeCadence } from '../cadence/stored-cadence.ts';
import type { CallResult } from './call-result.ts';
import type { RefreshResults } from './refresh-results.ts';

/** What earlier calls have shown of a camera; `unreadable` if Redis is too slow to say. */
export type KnownCadence = Cadence | 'unreadable' | undefined;

/** Reads the cadence of a camera with a variable interval. */
export async function loadCadence(
  camera: Camera,
  { results }: { results: Pick<RefreshResults, 'readCadence'> },
): Promise<KnownCadence> {
  if (!isIntervalVariable(camera.source)) return undefined;
  const text = await results.readCadence(camera);
  return text === undefined ? 'unreadable' : decodeCadence(text);
}

/** A result that shows which picture the camera has now. */
type SeenResult = Extract<CallResult, { outcome: 'captured' | 'unchanged' }>;

/**
 * Adds a call to a camera's cadence, and decides when it is due again. Permits allow a call after
 * each interval; this says when one is worth making. Returns `undefined` if the interval is fixed.
 * What is stored stays if it can't be read now.
 * @param receivedAtMs by the queue Redis's clock; while that is unknown, the camera is due after an
 * interval
 */
export function updateCadence(
  { source }: Camera,
  before: { known?: KnownFrame | undefined; cadence: KnownCadence },
  result: SeenResult,
  { receivedAtMs, callMs }: { receivedAtMs: number | undefined; callMs: number },
): CadenceDecision | undefined {
  if (!isIntervalVariable(source)) return undefined;
  const etag = result.outcome === 'captured' ? result.etag : before.known?.etag;
  if (etag === undefined || receivedAtMs === undefined) {
    return { freshForMs: source.intervalMs, learned: '' };
  }
  const known = before.cadence === 'unreadable' ? undefined : before.cadence;
  const seen = { etag, sentAtMs: receivedAtMs - callMs, receivedAtMs, hints: result.hints };
  const cadence = observe(known, seen);
  const freshForMs = nextCallMs(cadence, seen.sentAtMs, source) - seen.sentAtMs;
  return { freshForMs, learned: before.cadence === 'unreadable' ? '' : encodeCadence(cadence) };
}
