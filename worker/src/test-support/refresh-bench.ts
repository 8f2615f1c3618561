import { makeRules } from '@lastframe/shared/cameras/rules';
import type { Source } from '@lastframe/shared/cameras/source';
import type { KnownFrame, StoreOutcome } from '@lastframe/shared/frames/frame-store';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import type { Admission } from '../admission/camera-places.ts';
import type { Capture } from '../camera-call/capture.ts';
import type { Prepared } from '../camera-call/prepare-call.ts';
import type { Finish, Permit, Take } from '../permit/permits.ts';
import type { RefreshDeps } from '../refresh/refresh.ts';
import { silentLog, testCamera, testSource } from './cameras.ts';
import { fakeClock } from './fake-clock.ts';

export const captured: Capture = {
  outcome: 'captured',
  bytes: Buffer.from('picture'),
  contentType: 'image/jpeg',
};

/** A refresh whose collaborators do as the test says; `did` is what happened, in order. */
export function refreshBench(differences: Partial<Source> = {}) {
  const clock = fakeClock();
  const camera = testCamera('http://camera.test/a', testSource(differences));
  const did: string[] = [];
  const ends: Finish[] = [];
  const told: Record<string, unknown>[] = [];
  const closing = new AbortController();
  const control = {
    /** What asking for a permit gives, in order; then it is granted. */
    takes: [] as Take[],
    connectMs: 10,
    onConnect: () => {},
    prepared: undefined as Exclude<Prepared, { outcome: 'connected' }> | undefined,
    /** Passes inside `send`. */
    sendMs: 0,
    answerMs: 1000,
    capture: captured as Capture,
    nextMs: 4000,
    finishMs: 1,
    admission: { outcome: 'admitted' } as Admission,
    stored: async (): Promise<StoreOutcome> => 'frame',
    known: undefined as KnownFrame | undefined,
    renewed: 'unchanged' as 'frame' | 'unchanged' | 'older' | 'missing',
    places: 1,
    redisNowMs: 1_000_000 as number | undefined,
  };
  const note = (what: string, more: Record<string, unknown> = {}) => {
    did.push(what);
    if (Object.keys(more).length > 0) told.push({ what, ...more });
  };

  const permit = (): Permit => {
    const startMs = clock.monoMs();
    return { token: 'token', camera, elapsedMs: () => clock.monoMs() - startMs };
  };
  const prepareCall: RefreshDeps['prepareCall'] = async (
    called,
    withinMs,
    _signal,
    validators,
  ): Promise<Prepared> => {
    const asked = await validators;
    note('connect', { url: called.url, withinMs, ...(asked && { validators: asked }) });
    clock.pass(control.connectMs);
    control.onConnect();
    if (control.prepared) return control.prepared;
    const call = {
      send: async () => {
        note('send');
        clock.pass(control.sendMs);
        await Promise.resolve();
        clock.pass(control.answerMs);
        return control.capture;
      },
      destroy: () => note('destroy'),
      release: () => {},
    };
    return { outcome: 'connected', call };
  };
  const deps: RefreshDeps = {
    clock,
    permits: {
      take: async () => {
        note('take');
        return control.takes.shift() ?? { outcome: 'granted', permit: permit() };
      },
    },
    places: {
      admit: async () => control.admission,
      leave: async () => note('leave'),
    },
    prepareCall,
    reporter: {
      started: () => note('started'),
      frame: async (_camera, frameNow) => {
        const stored = await control.stored();
        note(stored, { frame: frameNow() });
        return stored;
      },
      known: async () => control.known,
      renewed: async (_camera, known, timesNow) => {
        note('renewed', { known, times: timesNow() });
        return control.renewed;
      },
      failed: async (_camera, failure: Failure) => note('failure', { failure }),
      refused: async (cameraId, failure) => note('refused', { cameraId, failure }),
      wait: async (_camera, reason, inMs) => note('wait', { reason, inMs }),
      finish: async (_permit, endNow) => {
        ends.push(endNow());
        note('finish');
        clock.pass(control.finishMs);
        return control.nextMs;
      },
    },
    rules: () => makeRules([camera.source]),
    redisNowMs: () => control.redisNowMs,
    closing: closing.signal,
    waitingPlace: () => {
      if (control.places === 0) return undefined;
      note('place');
      return { release: () => note('release') };
    },
    log: silentLog,
  };
  const { cameraId, url } = camera;
  const job: RefreshJob = { v: 1, cameraId, url, askedAtMs: 999_000 };
  return { deps, job, camera, clock, control, did, ends, told, closing };
}
