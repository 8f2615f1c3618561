import type { Camera } from '@lastframe/shared/cameras/camera';
import { makeRules } from '@lastframe/shared/cameras/rules';
import type { Source } from '@lastframe/shared/cameras/source';
import type { KnownFrame, StoreOutcome } from '@lastframe/shared/frames/frame-store';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import type { Admission } from '../admission/camera-places.ts';
import type { Capture } from '../camera-call/capture.ts';
import { createConditionalCalls } from '../camera-call/conditional-calls.ts';
import type { PrepareResult } from '../camera-call/prepare-call.ts';
import type { RedirectTarget } from '../camera-call/redirect.ts';
import type { CallEnd, Permit, TakeResult } from '../permit/permits.ts';
import type { RefreshDeps } from '../refresh/refresh.ts';
import { noHints, silentLog, testCamera, testSource } from './cameras.ts';
import { fakeClock } from './fake-clock.ts';

export const captured = {
  outcome: 'captured' as const,
  bytes: Buffer.from('picture'),
  contentType: 'image/jpeg',
  hints: noHints,
} satisfies Capture;

/** Creates a refresh whose parts do as the test says; `did` lists what happened, in order. */
export function refreshBench(differences: Partial<Source> = {}) {
  const clock = fakeClock();
  const camera = testCamera('http://camera.test/a', testSource(differences));
  const did: string[] = [];
  const ends: CallEnd[] = [];
  const told: Record<string, unknown>[] = [];
  const closing = new AbortController();
  const control = {
    /** The results of taking permits, in order; after them, permits are granted. */
    takes: [] as TakeResult[],
    connectMs: 10,
    onConnect: () => {},
    prepared: undefined as Exclude<PrepareResult, { outcome: 'connected' }> | undefined,
    /** The time that passes inside `send`. */
    sendMs: 0,
    answerMs: 1000,
    capture: captured as Capture,
    nextMs: 4000,
    finishMs: 1,
    admission: { outcome: 'admitted' } as Admission,
    stored: async (): Promise<StoreOutcome> => 'frame',
    known: undefined as KnownFrame | undefined,
    redirect: undefined as RedirectTarget | undefined,
    cadence: '' as string | undefined,
    renewed: 'unchanged' as 'frame' | 'unchanged' | 'older' | 'missing',
    slots: 1,
    hasShare: true,
    redisNowMs: 1_000_000 as number | undefined,
  };
  const record = (what: string, more: Record<string, unknown> = {}) => {
    did.push(what);
    if (Object.keys(more).length > 0) told.push({ what, ...more });
  };

  const permitOf = (granted: Camera): Permit => {
    const startMs = clock.monoMs();
    return { token: 'token', camera: granted, elapsedMs: () => clock.monoMs() - startMs };
  };
  const prepareCall: RefreshDeps['prepareCall'] = async (
    called,
    withinMs,
    _signal,
    validators,
  ): Promise<PrepareResult> => {
    const known = await validators;
    record('connect', { url: called.url, withinMs, ...(known && { validators: known }) });
    clock.advance(control.connectMs);
    control.onConnect();
    if (control.prepared) return control.prepared;
    const call = {
      send: async () => {
        record('send');
        clock.advance(control.sendMs);
        await Promise.resolve();
        clock.advance(control.answerMs);
        return control.capture;
      },
      destroy: () => record('destroy'),
      release: () => {},
    };
    return { outcome: 'connected', call };
  };
  const deps: RefreshDeps = {
    clock,
    permits: {
      take: async (requested) => {
        record('take');
        return control.takes.shift() ?? { outcome: 'granted', permit: permitOf(requested) };
      },
    },
    places: {
      admit: async () => control.admission,
      keepPlace: async (_camera, untilNextMs) => record('keep place', { untilNextMs }),
      releasePlace: async () => record('release place'),
    },
    prepareCall,
    conditionalCalls: createConditionalCalls(silentLog),
    redirects: {
      read: async () => control.redirect,
      remember: async (_camera, target) => record('redirect', { target }),
      forget: async () => record('forget redirect'),
    },
    finishPermit: async (_permit, endNow) => {
      ends.push(endNow());
      record('finish');
      clock.advance(control.finishMs);
      return control.nextMs;
    },
    results: {
      announceStart: () => record('started'),
      storeFrame: async (_camera, frameNow) => {
        const stored = await control.stored();
        record(stored, { frame: frameNow() });
        return stored;
      },
      readKnownFrame: async () => control.known,
      readCadence: async () => control.cadence,
      renewFrame: async (_camera, known, timesNow) => {
        record('renewed', { known, times: timesNow() });
        return control.renewed;
      },
      storeFailure: async (_camera, failure: Failure) => record('failure', { failure }),
      storeRejection: async (cameraId, failure) => record('rejected', { cameraId, failure }),
      announceWait: async (_camera, reason, inMs) => record('wait', { reason, inMs }),
    },
    rules: () => makeRules([camera.source]),
    slots: { enter: () => (control.hasShare ? () => {} : undefined) },
    redisNowMs: () => control.redisNowMs,
    closing: closing.signal,
    reserveWaitingSlot: () => {
      if (control.slots === 0) return undefined;
      record('slot');
      return () => record('release');
    },
    log: silentLog,
  };
  const { cameraId, url } = camera;
  const job: RefreshJob = { v: 1, cameraId, url, askedAtMs: 999_000 };
  return { deps, job, camera, clock, control, did, ends, told, closing };
}
