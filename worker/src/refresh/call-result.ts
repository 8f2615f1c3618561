import type { Camera } from '@lastframe/shared/cameras/camera';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import type { KnownFrame, Validators } from '@lastframe/shared/frames/frame-store';
import { etagOf } from '@lastframe/shared/http/etag';
import type { Capture } from '../camera-call/capture.ts';
import type { ConditionalCalls } from '../camera-call/conditional-calls.ts';
import { type RedirectTarget, redirectTargetOf } from '../camera-call/redirect.ts';
import { badResponse } from '../camera-call/response/read-result.ts';
import { ABORTED, type CallOutcome, failed } from './outcome.ts';

export type Captured = Extract<Capture, { outcome: 'captured' }> & {
  /** Of the bytes. */
  etag: string;
};

/** What a capture means for the camera. */
export type CallResult =
  | Captured
  | Exclude<Capture, { outcome: 'captured' | 'redirected' }>
  | { outcome: 'redirected'; target: RedirectTarget }
  /** Perhaps only the condition was rejected; the next call has none. */
  | { outcome: 'condition rejected' };

export interface CallCondition {
  /** The last frame when the call was made. */
  known?: KnownFrame | undefined;
  /** The validators that were sent. */
  sent?: Validators | undefined;
  /** The target that was called instead of the camera's own URL. */
  redirect?: RedirectTarget | undefined;
}

interface CallResultDeps {
  conditionalCalls: Pick<ConditionalCalls, 'onResult'>;
  rules: RulesNow;
}

/**
 * Outcomes that say nothing about the camera: clients keep waiting, for the next permit. A
 * challenged call was a call too: retrying at once would be a second one with the same permit.
 */
export const BLAMELESS = {
  aborted: ABORTED,
  challenged: failed('call', 'authentication required; the next call will send credentials'),
  'condition rejected': failed(
    'call',
    'the camera rejected a conditional request; the next call has no condition',
  ),
  redirected: failed('call', 'redirected; the next call goes to the target'),
  'no room': failed('frame', 'frame not read: the worker has no memory left for it'),
} satisfies Partial<Record<CallResult['outcome'], CallOutcome>>;

export type BlamelessResult = Extract<CallResult, { outcome: keyof typeof BLAMELESS }>;

export function isBlameless(result: CallResult): result is BlamelessResult {
  return result.outcome in BLAMELESS;
}

const PLACEHOLDER = badResponse(
  'the camera sent a picture that is listed in the placeholders of its source',
  'destination_unavailable',
  { receivedStatus: 200 },
);

/** Compares a capture with the last frame and with what the camera's source says of its pictures. */
export function callResultOf(
  capture: Capture,
  camera: Camera,
  condition: CallCondition,
  { conditionalCalls, rules }: CallResultDeps,
): CallResult {
  const etag = capture.outcome === 'captured' ? etagOf(capture.bytes) : '';
  if (conditionalCalls.onResult(camera, { ...condition, capture, etag })) {
    return { outcome: 'condition rejected' };
  }
  if (capture.outcome === 'redirected') {
    const target = redirectTargetOf(capture, camera, condition.redirect, rules());
    return 'outcome' in target ? target : { outcome: 'redirected', target };
  }
  if (capture.outcome !== 'captured') return capture;
  return camera.source.placeholders.includes(etag) ? PLACEHOLDER : { ...capture, etag };
}
