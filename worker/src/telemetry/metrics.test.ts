import { makeRules } from '@lastframe/shared/cameras/rules';
import { createMetrics, type Metrics } from '@lastframe/shared/telemetry/metrics';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Admission, CameraPlaces } from '../admission/camera-places.ts';
import type { Capture } from '../camera-call/capture.ts';
import type { PrepareResult } from '../camera-call/prepare-call.ts';
import type { TakeResult } from '../permit/permits.ts';
import { CAPTURED, DROPPED, denied, FailedRefreshError, failed } from '../refresh/outcome.ts';
import type { RefreshResults } from '../refresh/refresh-results.ts';
import { noHints, testCamera, testSource } from '../test-support/cameras.ts';
import { fakeClock } from '../test-support/fake-clock.ts';
import {
  createJobMetrics,
  exposeRedisMetrics,
  withAdmissionMetrics,
  withCallMetrics,
  withPermitMetrics,
  withResultMetrics,
} from './metrics.ts';

const camera = testCamera(undefined, testSource({ name: 'yard' }));
let metrics: Metrics;
/** Returns the value of a series, given as `name{labels}`. */
const numberOf = async (series: string) => {
  const line = (await metrics.text()).split('\n').find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
};

beforeEach(() => {
  metrics = createMetrics('worker');
});

const failedCall = failed('call', 'the camera responded with 500');

describe('jobs are counted', () => {
  it('by the kind of their outcome, whatever the reason is', async () => {
    const { ended } = createJobMetrics(metrics);
    ended(CAPTURED);
    ended(denied('spaced'));
    ended(denied('hold'));
    ended(failedCall);
    ended(DROPPED);
    expect(await numberOf('lastframe_jobs_total{outcome="captured"}')).toBe(1);
    expect(await numberOf('lastframe_jobs_total{outcome="denied"}')).toBe(2);
    expect(await numberOf('lastframe_jobs_total{outcome="failed"}')).toBe(1);
    expect(await numberOf('lastframe_jobs_total{outcome="dropped"}')).toBe(1);
  });

  it('once: a failed camera fails its job too, and a job that throws has no outcome', async () => {
    const { ended, listen } = createJobMetrics(metrics);
    const handlers: Record<string, (job: unknown, error: Error) => void> = {};
    const worker = { on: (event: string, listener: never) => (handlers[event] = listener) };
    listen(worker as never);
    ended(failedCall);
    handlers.failed?.({}, new FailedRefreshError(failedCall));
    handlers.failed?.({}, new Error('failed to parse the payload'));
    handlers.stalled?.('job', new Error());
    expect(await numberOf('lastframe_jobs_total{outcome="failed"}')).toBe(1);
    expect(await numberOf('lastframe_jobs_total{outcome="error"}')).toBe(1);
    expect(await numberOf('lastframe_jobs_stalled_total')).toBe(1);
  });
});

describe('permits are counted', () => {
  const permit = { token: 't', camera, elapsedMs: () => 0 };
  const takes: [string, TakeResult][] = [
    ['granted', { outcome: 'granted', permit }],
    ['hold', { outcome: 'denied', reason: 'hold', waitMs: 5 }],
    ['budget', { outcome: 'denied', reason: 'budget', waitMs: 5 }],
    ['unknown', { outcome: 'unknown', reason: 'Redis is away' }],
  ];

  it.each(takes)('as %s, and returned unchanged', async (outcome, take) => {
    const permitsFor = withPermitMetrics({ take: async () => take }, () => 10_000, metrics);
    expect(await permitsFor(7000).take(camera)).toBe(take);
    expect(await numberOf(`lastframe_permits_total{outcome="${outcome}"}`)).toBe(1);
  });

  it('with the time since the job was requested, when granted', async () => {
    const [, [, denied] = []] = takes;
    const granted: TakeResult = { outcome: 'granted', permit };
    const answers = [denied ?? granted, granted];
    const take = async () => answers.shift() ?? granted;
    const permitsFor = withPermitMetrics({ take }, () => 10_000, metrics);
    await permitsFor(7000).take(camera);
    expect(await numberOf('lastframe_permit_wait_seconds_count')).toBe(0);
    await permitsFor(7000).take(camera);
    expect(await numberOf('lastframe_permit_wait_seconds_sum')).toBe(3);
  });
});

describe('calls are counted', () => {
  const label = (outcome: string) =>
    `lastframe_upstream_calls_total{source="yard",outcome="${outcome}"}`;
  const image = { bytes: Buffer.alloc(5000), contentType: 'image/png' };
  const captures: [string, Capture][] = [
    ['captured', { outcome: 'captured', ...image, hints: noHints }],
    ['unchanged', { outcome: 'unchanged', hints: noHints }],
    ['failed', { outcome: 'failed', status: 502, reason: 'the camera responded with 500' }],
    ['timeout', { outcome: 'failed', status: 504, reason: 'late' }],
    ['challenged', { outcome: 'challenged' }],
    ['no_room', { outcome: 'no room' }],
    ['aborted', { outcome: 'aborted' }],
  ];

  it.each(captures)(
    'as %s, with their duration, and as open until then',
    async (outcome, capture) => {
      const clock = fakeClock();
      const answered = Promise.withResolvers<Capture>();
      const call = { send: () => answered.promise, destroy: () => {}, release: () => {} };
      const prepare = withCallMetrics(async () => ({ outcome: 'connected', call }), clock, metrics);
      const prepared = await prepare(camera, 1000, new AbortController().signal);
      if (prepared.outcome !== 'connected') throw new Error('not connected');
      expect(await numberOf('lastframe_upstream_calls_open')).toBe(0);
      const sent = prepared.call.send(new AbortController().signal);
      expect(await numberOf('lastframe_upstream_calls_open')).toBe(1);
      clock.advance(2000);
      answered.resolve(capture);
      expect(await sent).toBe(capture);
      expect(await numberOf('lastframe_upstream_calls_open')).toBe(0);
      expect(await numberOf(label(outcome))).toBe(1);
      expect(await numberOf('lastframe_upstream_call_seconds_sum{source="yard"}')).toBe(2);
      const bytes = await numberOf('lastframe_upstream_frame_bytes_sum{source="yard"}');
      expect(bytes).toBe(outcome === 'captured' ? 5000 : undefined);
    },
  );

  it.each<[string, PrepareResult]>([
    ['unreachable', { outcome: 'failed', status: 502, reason: 'refused the connection' }],
    ['unreachable', { outcome: 'failed', status: 504, reason: 'no connection' }],
    ['refused', { outcome: 'failed', status: 403, reason: 'not allowed' }],
    ['aborted', { outcome: 'aborted' }],
  ])('as %s when nothing could be sent', async (outcome, prepared) => {
    const prepare = withCallMetrics(async () => prepared, fakeClock(), metrics);
    expect(await prepare(camera, 1000, new AbortController().signal)).toBe(prepared);
    expect(await numberOf(label(outcome))).toBe(1);
  });
});

describe('announcements are counted', () => {
  it('by kind, without frames that were overtaken', async () => {
    const stored = ['frame', 'unchanged', 'older'] as const;
    let turn = 0;
    const reporter = withResultMetrics(
      {
        announceStart: () => {},
        storeFrame: async () => stored[turn++] ?? 'older',
        renewFrame: async () => 'missing',
        storeFailure: async () => {},
        storeRejection: async () => {},
        announceWait: async () => {},
      } as unknown as RefreshResults,
      metrics,
    );
    for (const expected of stored)
      expect(await reporter.storeFrame(camera, () => ({}) as never)).toBe(expected);
    await reporter.renewFrame(camera, {} as never, () => ({}) as never);
    reporter.announceStart(camera, {});
    await reporter.storeFailure(camera, {} as never);
    await reporter.storeRejection('id', {} as never);
    await reporter.announceWait(camera, 'hold', 1);
    const counts = ['frame', 'unchanged', 'started', 'failure', 'wait'].map((kind) =>
      numberOf(`lastframe_announcements_sent_total{kind="${kind}"}`),
    );
    expect(await Promise.all(counts)).toEqual([1, 1, 1, 2, 1]);
  });
});

describe('rejections for lack of room are counted', () => {
  it('as a first frame or a larger one, not as an announcement', async () => {
    const stored = ['no room', 'no room to grow', 'no room to grow'] as const;
    let turn = 0;
    const storeFrame = async () => stored[turn++] ?? 'older';
    const reporter = withResultMetrics({ storeFrame } as unknown as RefreshResults, metrics);
    for (const expected of stored)
      expect(await reporter.storeFrame(camera, () => ({}) as never)).toBe(expected);
    expect(await numberOf('lastframe_frames_refused_total{frame="first"}')).toBe(1);
    expect(await numberOf('lastframe_frames_refused_total{frame="larger"}')).toBe(2);
    expect(await numberOf('lastframe_announcements_sent_total{kind="frame"}')).toBe(0);
  });

  it('as new cameras, by source and bound', async () => {
    const admissions: Admission[] = [
      { outcome: 'admitted' },
      { outcome: 'rejected', reason: 'places', waitMs: 1 },
      { outcome: 'unknown', reason: 'away' },
    ];
    const admit = async () => admissions.shift() ?? ({ outcome: 'admitted' } as const);
    const places = withAdmissionMetrics({ admit } as unknown as CameraPlaces, metrics);
    for (let n = 0; n < 3; n += 1) await places.admit(camera);
    const countFor = (bound: string) =>
      numberOf(`lastframe_new_cameras_refused_total{source="yard",bound="${bound}"}`);
    expect(await countFor('places')).toBe(1);
  });
});

describe('the queue Redis is shown', () => {
  it('with the hold-off of each source; of sources with one label, the longest', async () => {
    const named = (name: string, intervalMs: number) => testSource({ name, intervalMs });
    const sources = [
      named('http://cams.test/a/*', 60_000),
      named('http://cams.test/b/*', 5000),
      named('yard', 5000),
    ];
    let unfitReason: string | undefined;
    const watch = { whyUnfit: () => unfitReason, holdOffMs: (lifeMs: number) => lifeMs - 10_000 };
    exposeRedisMetrics(watch, { rules: () => makeRules(sources), replicaLagMs: 0 }, metrics);
    const heldOff = (source: string) => numberOf(`lastframe_hold_off_seconds{source="${source}"}`);
    expect(await heldOff('http://cams.test')).toBeCloseTo(54.07, 2);
    expect(await heldOff('yard')).toBe(11);
    expect(await numberOf('lastframe_queue_redis_fit')).toBe(1);
    unfitReason = 'it evicts';
    expect(await numberOf('lastframe_queue_redis_fit')).toBe(0);
  });
});
