import type { Camera } from '@lastframe/shared/cameras/camera';
import type { CadenceDecision, KnownFrame } from '@lastframe/shared/frames/frame-store';
import { messageOf } from '@lastframe/shared/process/errors';
import { type CameraPlaces, NEW_CAMERA_RETRY_MS } from '../admission/camera-places.ts';
import type { Captured } from './call-result.ts';
import { CAPTURED, type CallOutcome, failed, OVERTAKEN, UNCHANGED } from './outcome.ts';
import type { RefreshResults } from './refresh-results.ts';

interface StoreDeps {
  results: RefreshResults;
  places: Pick<CameraPlaces, 'releasePlace'>;
}

/** Stopwatches, and a countdown to the next permit; each attempt at storing reads them again. */
export interface CallTimes {
  sinceSentMs: () => number;
  sinceCapturedMs: () => number;
  nextMs: () => number;
  cadence?: CadenceDecision | undefined;
}

/** Renews the last frame after a 304. If it is gone by now, the next call fetches it. */
export async function renewKnownFrame(
  camera: Camera,
  known: KnownFrame | undefined,
  times: CallTimes,
  { results }: StoreDeps,
): Promise<CallOutcome> {
  try {
    const outcome = known
      ? await results.renewFrame(camera, known, () => timesNow(times))
      : 'missing';
    if (outcome === 'older') return OVERTAKEN;
    if (outcome !== 'missing') return UNCHANGED;
    // Purged or evicted during the call.
    await results.announceWait(camera, 'spaced', times.nextMs());
    return OVERTAKEN;
  } catch (error) {
    await results.announceWait(camera, 'spaced', times.nextMs());
    return failed('frame', `frame not renewed: ${messageOf(error)}`);
  }
}

/** Stores and announces a captured frame. */
export async function storeCapture(
  camera: Camera,
  { bytes, contentType, etag, validators, dimensions }: Captured,
  times: CallTimes,
  deps: StoreDeps,
): Promise<CallOutcome> {
  const image = { bytes, contentType, etag, validators, dimensions };
  try {
    const outcome = await deps.results.storeFrame(camera, () => ({
      ...image,
      ...timesNow(times),
    }));
    if (outcome === 'frame') return CAPTURED;
    if (outcome === 'unchanged') return UNCHANGED;
    if (outcome === 'no room') return await rejectNewCamera(camera, times, deps);
    if (outcome === 'no room to grow') {
      await deps.results.announceWait(camera, 'spaced', times.nextMs());
      return NO_ROOM_TO_GROW;
    }
    // It must not be served; clients that wait need a call that begins after the purge.
    if (outcome === 'purged') await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return OVERTAKEN;
  } catch (error) {
    await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return failed('frame', `frame not stored: ${messageOf(error)}`);
  }
}

const NO_ROOM = failed('frame', 'frame not stored: Redis has no memory left for new cameras');
const NO_ROOM_TO_GROW = failed(
  'frame',
  'frame not stored: Redis has no memory left for a frame larger than the last',
);

/** Otherwise it would be called repeatedly for frames that nobody sees. */
async function rejectNewCamera(
  camera: Camera,
  { nextMs }: CallTimes,
  { results, places }: StoreDeps,
): Promise<CallOutcome> {
  await places.releasePlace(camera);
  await results.announceWait(camera, 'memory', Math.max(nextMs(), NEW_CAMERA_RETRY_MS));
  return NO_ROOM;
}

function timesNow({ sinceSentMs, sinceCapturedMs, nextMs, cadence }: CallTimes) {
  const startedAgoMs = sinceSentMs();
  return { startedAgoMs, capturedAgoMs: sinceCapturedMs(), nextMs: nextMs(), cadence };
}
