import type { Camera } from '@lastframe/shared/cameras/camera';
import type { KnownFrame, Validators } from '@lastframe/shared/frames/frame-store';
import type { Log } from '@lastframe/shared/process/log';
import { sourceLabel } from '@lastframe/shared/telemetry/metrics';
import { LRUCache } from 'lru-cache';
import type { Capture } from './capture.ts';

/** How a call went that was made while this frame was the last one. */
export interface ConditionalResult {
  known?: KnownFrame | undefined;
  /** The validators that were sent. */
  sent?: Validators | undefined;
  capture: Capture;
  /** Of the captured bytes, if any. */
  etag: string;
}

/**
 * Decides which calls request an image only if it has changed (RFC 9110 13), and learns which cameras
 * cannot handle that: some reject such requests, and some confirm an old image although there is a
 * new one. Each worker learns for itself.
 */
export interface ConditionalCalls {
  /** Returns whether the next call to a camera may be conditional. */
  mayUse(camera: Camera): boolean;
  /** Returns the validators to send. */
  validatorsFor(camera: Camera, known: KnownFrame | undefined): Validators | undefined;
  /** Returns whether the camera may have rejected only the condition: the next call has none. */
  onResult(camera: Camera, result: ConditionalResult): boolean;
}

interface CameraState {
  /** `suspect`: the last conditional call failed. `never`: this camera gets none. */
  mode: 'conditional' | 'suspect' | 'never';
  /** Conditional calls in a row that failed where the next call, without a condition, succeeded. */
  rejected: number;
  /** Confirmations in a row. */
  unchanged: number;
  /** After so many, one call checks them without a condition. */
  checkAfter: number;
}

const MAX_CAMERAS = 50_000;
/** A camera may be repaired, or its firmware updated. */
const REMEMBER_MS = 24 * 3_600_000;
const FIRST_CHECK_AFTER = 10;
const MAX_CHECK_AFTER = 640;
/** One failure may have been an accident. */
const MAX_REJECTED = 2;

/** These are about access, the address or the load, whatever the request says. */
const UNRELATED_STATUSES = new Set([401, 403, 404, 407, 410, 429, 503]);

const REJECTS = 'it rejects them';
const LIES = 'its ETag or Last-Modified stays the same for new pictures';

export function createConditionalCalls(log: Pick<Log, 'warn'>): ConditionalCalls {
  const states = new LRUCache<string, CameraState>({ max: MAX_CAMERAS, ttl: REMEMBER_MS });
  const stateOf = ({ cameraId }: Camera): CameraState => {
    const state = states.get(cameraId) ?? {
      mode: 'conditional',
      rejected: 0,
      unchanged: 0,
      checkAfter: FIRST_CHECK_AFTER,
    };
    if (!states.has(cameraId)) states.set(cameraId, state);
    return state;
  };
  const giveUp = ({ cameraId, source }: Camera, state: CameraState, reason: string) => {
    state.mode = 'never';
    const fields = { cameraId, source: sourceLabel(source), reason };
    log.warn(fields, 'no more conditional calls to a camera; conditional: false avoids them');
  };
  const onCaptured = (camera: Camera, result: ConditionalResult, known: KnownFrame) => {
    const state = stateOf(camera);
    const isSame = result.etag === known.etag;
    if (state.mode === 'suspect') state.rejected += 1;
    else if (result.sent) state.rejected = 0;
    if (state.rejected >= MAX_REJECTED) giveUp(camera, state, REJECTS);
    else if (!isSame && hasSameValidators(result.capture, known.validators))
      giveUp(camera, state, LIES);
    else state.mode = 'conditional';
    const isConfirmed = isSame && state.unchanged >= state.checkAfter;
    const nextCheckAfter = Math.min(MAX_CHECK_AFTER, 2 * state.checkAfter);
    state.checkAfter = isConfirmed ? nextCheckAfter : FIRST_CHECK_AFTER;
    state.unchanged = 0;
  };
  const onFailed = (state: CameraState, { sent }: ConditionalResult, status: number) => {
    // If a call without a condition fails too, that was not the reason.
    state.mode = sent ? 'suspect' : 'conditional';
    return sent !== undefined && status >= 400 && !UNRELATED_STATUSES.has(status);
  };
  return {
    mayUse: (camera) => camera.source.conditional && states.peek(camera.cameraId)?.mode !== 'never',
    validatorsFor: (camera, known) => {
      if (!known || camera.source.placeholders.includes(known.etag)) return undefined;
      const state = stateOf(camera);
      const isCheck = state.unchanged >= state.checkAfter;
      return state.mode === 'conditional' && !isCheck ? known.validators : undefined;
    },
    onResult: (camera, result) => {
      const { known, capture } = result;
      if (!known) return false;
      const state = stateOf(camera);
      if (capture.outcome === 'failed') return onFailed(state, result, capture.receivedStatus ?? 0);
      if (capture.outcome === 'captured') onCaptured(camera, result, known);
      if (capture.outcome === 'unchanged') {
        state.rejected = 0;
        state.unchanged += 1;
      }
      return false;
    },
  };
}

/** Returns whether the camera described the captured image by the same validators. */
function hasSameValidators(capture: Capture, { etag, lastModified }: Validators): boolean {
  if (capture.outcome !== 'captured' || !capture.validators) return false;
  return capture.validators.etag === etag && capture.validators.lastModified === lastModified;
}
