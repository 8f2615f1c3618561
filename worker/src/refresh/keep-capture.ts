import type { Camera } from '@lastframe/shared/cameras/camera';
import type { KnownFrame } from '@lastframe/shared/frames/frame-store';
import { messageOf } from '@lastframe/shared/process/errors';
import { type CameraPlaces, NEW_CAMERA_RETRY_MS } from '../admission/camera-places.ts';
import type { Captured } from './call-result.ts';
import { CAPTURED, type CallOutcome, failed, OVERTAKEN, UNCHANGED } from './outcome.ts';
import type { RefreshResults } from './refresh-results.ts';

interface KeepDeps {
  results: RefreshResults;
  places: Pick<CameraPlaces, 'releasePlace'>;
}

/** Stopwatches, and a countdown to the next permit; each attempt at storing reads them again. */
export interface CallTimes {
  sinceSentMs: () => number;
  sinceCapturedMs: () => number;
  nextMs: () => number;
}

/** Renews the last frame after a 304. If it is gone by now, the next call fetches it. */
export async function renewKnown(
  camera: Camera,
  known: KnownFrame | undefined,
  times: CallTimes,
  { results }: KeepDeps,
): Promise<CallOutcome> {
  const timesNow = () => ({
    startedAgoMs: times.sinceSentMs(),
    capturedAgoMs: times.sinceCapturedMs(),
    nextMs: times.nextMs(),
  });
  try {
    const outcome = known ? await results.renewFrame(camera, known, timesNow) : 'missing';
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
  capture: Captured,
  times: CallTimes,
  deps: KeepDeps,
): Promise<CallOutcome> {
  try {
    const outcome = await deps.results.storeFrame(camera, () => ({
      bytes: capture.bytes,
      contentType: capture.contentType,
      etag: capture.etag,
      validators: capture.validators,
      dimensions: capture.dimensions,
      startedAgoMs: times.sinceSentMs(),
      capturedAgoMs: times.sinceCapturedMs(),
      nextMs: times.nextMs(),
    }));
    if (outcome === 'no room') {
      // Otherwise it would be called repeatedly for frames that nobody sees.
      await deps.places.releasePlace(camera);
      const waitMs = Math.max(times.nextMs(), NEW_CAMERA_RETRY_MS);
      await deps.results.announceWait(camera, 'memory', waitMs);
      return failed('frame', 'frame not stored: Redis has no memory left for new cameras');
    }
    if (outcome === 'no room to grow') {
      await deps.results.announceWait(camera, 'spaced', times.nextMs());
      return failed(
        'frame',
        'frame not stored: Redis has no memory left for a frame larger than the last',
      );
    }
    // It must not be served; clients that wait need a call that begins after the purge.
    if (outcome === 'purged') await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return outcome === 'frame' ? CAPTURED : outcome === 'unchanged' ? UNCHANGED : OVERTAKEN;
  } catch (error) {
    await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return failed('frame', `frame not stored: ${messageOf(error)}`);
  }
}
