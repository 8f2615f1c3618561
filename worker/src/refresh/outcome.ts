import type { Denial, Rejection } from '@lastframe/shared/messages/announcement';

/** How the call with a granted permit ended. `text` is for people: dashboard, logs, traces. */
export type CallOutcome =
  | { kind: 'captured' | 'unchanged' | 'overtaken' | 'aborted' | 'late'; text: string }
  | Failed;

/** How a refresh job ended. The metrics count it by `kind`. */
export type RefreshOutcome =
  | CallOutcome
  | { kind: 'dropped'; text: string }
  /** `unknown`: whether the camera may be called could not be found out. */
  | { kind: 'denied'; reason: Denial | Rejection | 'share' | 'unknown'; text: string };

/** What failed: the call, or else the rules, or keeping the frame in memory or in Redis. */
type FailedStep = 'call' | 'rules' | 'frame';
type Failed = { kind: 'failed'; step: FailedStep; text: string };

export const CAPTURED = { kind: 'captured', text: 'captured' } as const;
export const UNCHANGED = { kind: 'unchanged', text: 'unchanged' } as const;
export const OVERTAKEN = { kind: 'overtaken', text: 'overtaken' } as const;
export const ABORTED = { kind: 'aborted', text: 'aborted' } as const;
/** This worker was too slow; the camera is not to blame. */
export const LATE = { kind: 'late', text: 'late: this worker is overloaded' } as const;
export const DROPPED = { kind: 'dropped', text: 'dropped: requested too long ago' } as const;

export function failed(step: FailedStep, reason: string): Failed {
  return { kind: 'failed', step, text: `failed: ${reason}` };
}

export function denied(reason: Denial | Rejection | 'share'): RefreshOutcome {
  return { kind: 'denied', reason, text: `denied: ${reason}` };
}

export function deniedAsUnknown(why: string): RefreshOutcome {
  return { kind: 'denied', reason: 'unknown', text: `denied: ${why}` };
}

/** Fails the job of a failed refresh, so that the dashboard shows it as failed. */
export class FailedRefreshError extends Error {
  readonly step: FailedStep;

  constructor({ step, text }: Failed) {
    super(text);
    this.step = step;
  }
}
