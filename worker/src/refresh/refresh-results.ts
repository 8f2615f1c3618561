import type { Camera } from '@lastframe/shared/cameras/camera';
import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import { type FrameLimits, frameLimitsOf } from '@lastframe/shared/frames/frame-limits';
import {
  type CapturedFrame,
  type KnownFrame,
  readCadence,
  readKnownFrame,
  renewFrame,
  type StoreOutcome,
  storeFailure,
  storeFrame,
} from '@lastframe/shared/frames/frame-store';
import {
  type Announcement,
  type Failure,
  publishAnnouncement,
  type WaitReason,
} from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import { sourceLabel } from '@lastframe/shared/telemetry/metrics';
import pRetry from 'p-retry';
import type { Lateness } from '../camera-call/lateness.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';

type NewFrame = Omit<
  CapturedFrame,
  'cameraId' | keyof FrameLimits | 'longestGapMs' | 'frozenAfterMs' | 'sentAtMs'
>;

/** What is announced of a job whose call starts; see the announcement `started`. */
type StartedJob = Pick<Extract<Announcement, { kind: 'started' }>, 'askedBy' | 'queuedMs'>;

/**
 * Stores and announces the results of refreshes. A frame may have taken seconds to capture, so
 * Redis commands are retried; calls never are.
 */
export interface RefreshResults {
  announceStart(camera: Camera, job: StartedJob): void;
  /** @throws RedisUnavailableError when the frame could not be stored within two seconds */
  storeFrame(camera: Camera, frameNow: () => NewFrame): Promise<StoreOutcome>;
  /** Returns the stored frame for a conditional request; undefined if none, or Redis is slow. */
  readKnownFrame(camera: Camera): Promise<KnownFrame | undefined>;
  /** Returns what earlier calls stored of a camera's cadence, or ''; undefined if Redis is slow. */
  readCadence(camera: Camera): Promise<string | undefined>;
  /**
   * Records that the known frame is still the last.
   * @throws RedisUnavailableError like `storeFrame`
   */
  renewFrame(
    camera: Camera,
    known: KnownFrame,
    timesNow: () => Pick<
      NewFrame,
      'startedAgoMs' | 'capturedAgoMs' | 'nextMs' | 'cadence' | 'trace'
    >,
  ): Promise<'frame' | 'unchanged' | 'older' | 'missing'>;
  storeFailure(camera: Camera, failure: Failure): Promise<void>;
  storeRejection(cameraId: string, failure: Omit<Failure, 'nextMs'>): Promise<void>;
  announceWait(camera: Pick<Camera, 'cameraId'>, reason: WaitReason, inMs: number): Promise<void>;
}

export interface RefreshResultsDeps {
  clock: Pick<Clock, 'monoMs'>;
  lateness: Pick<Lateness, 'since'>;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  /** Redis's time, to measure how long announcements take. */
  redisNowMs: () => number | undefined;
  log: Log;
}

const DEADLINE_MS = 1000;
/** Runs during a permit's start allowance; without a reply the call is just not conditional. */
const KNOWN_DEADLINE_MS = 250;
/** Larger frames take turns, so that smaller ones and announcements need not wait behind them. */
const LARGE_BYTES = 256 * 1024;
const LARGE_AT_ONCE = 2;
/** A forgotten camera costs one more read. */
const MAX_NOTED_CAMERAS = 100_000;
/** Nothing is known about a camera that no source here allows: little is kept, and briefly. */
const REJECTED = {
  rememberMs: 5000,
  limits: { staleForMs: 0, keepMs: 0, keepHealthMs: 60_000 },
};
const RETRY = { retries: 8, minTimeout: 20, maxTimeout: 500, randomize: true };
/** The last attempt begins within two seconds. */
const RETRY_MS = 1500;

export function createRefreshResults(deps: RefreshResultsDeps): RefreshResults {
  const { clock, lateness, frames, keys, log } = deps;
  const largeInTurn = createConcurrencyLimit(LARGE_AT_ONCE);
  const stamp = () => ({ sentAtMs: deps.redisNowMs() });
  const attempt = <T>(cameraId: string, command: (client: RedisClient) => Promise<T>) => {
    const [beganMonoMs, lateMs] = [clock.monoMs(), lateness.since()];
    // A pause of this process must not cost a frame that it has captured.
    const shouldRetry = () => clock.monoMs() - beganMonoMs - lateMs() < RETRY_MS;
    return pRetry(() => frames.run(DEADLINE_MS, command, cameraId), { ...RETRY, shouldRetry });
  };
  /** Never throws: an api that misses an announcement requests the frame again. */
  const sendBestEffort = async (cameraId: string, work: Promise<unknown>) => {
    await work.catch((error) =>
      log.warn({ cameraId, reason: messageOf(error) }, 'sending an announcement failed'),
    );
  };
  const announce = (
    message: Parameters<typeof publishAnnouncement>[2] & Pick<Announcement, 'cameraId'>,
  ) =>
    frames.run(
      DEADLINE_MS,
      (client) => publishAnnouncement(client, keys, { ...message, ...stamp() }),
      message.cameraId,
    );
  const storeAndLog = async (
    { cameraId, ...group }: { cameraId: string; source?: string; camera?: string },
    retention: { rememberMs: number; limits: Parameters<typeof storeFailure>[2]['limits'] },
    cause: Failure,
  ) => {
    const stored = attempt(cameraId, (client) =>
      storeFailure(client, keys, { cameraId, ...retention, ...cause, ...stamp() }),
    );
    const logged = stored.then((first) => {
      if (first) log.warn({ cameraId, ...group, reason: cause.reason }, 'camera failing');
    });
    await sendBestEffort(cameraId, logged);
  };
  /** Logs once for the whole fleet: the store knows whether the camera was failing. */
  const onRecovered = (camera: Camera) => ({
    onRecovered: () => log.info(logFields(camera), 'camera live again'),
  });

  /** Cameras whose last frame stored by this worker came without validators. */
  const unconditional = new Set<string>();
  const noteValidators = (cameraId: string, { validators }: NewFrame) => {
    if (unconditional.size > MAX_NOTED_CAMERAS) unconditional.clear();
    if (validators) unconditional.delete(cameraId);
    else unconditional.add(cameraId);
  };

  return {
    announceStart: ({ cameraId, source: { timeoutMs: overMs } }, { askedBy, queuedMs }) =>
      void sendBestEffort(
        cameraId,
        announce({ kind: 'started', cameraId, overMs, askedBy, queuedMs }),
      ),
    storeFrame: (camera, frameNow) => {
      const store = () =>
        attempt(camera.cameraId, (client) => {
          const frame = frameNow();
          noteValidators(camera.cameraId, frame);
          return storeFrame(client, keys, {
            ...frame,
            ...storageFieldsOf(camera, frame),
            ...stamp(),
            ...onRecovered(camera),
          });
        });
      return frameNow().bytes.length > LARGE_BYTES ? largeInTurn(store) : store();
    },
    readKnownFrame: async ({ cameraId }) => {
      // If another worker has stored validators since, one call goes without them.
      if (unconditional.has(cameraId)) return undefined;
      return await frames
        .run(KNOWN_DEADLINE_MS, (client) => readKnownFrame(client, keys, cameraId), cameraId)
        .catch(() => undefined);
    },
    readCadence: ({ cameraId }) =>
      frames
        .run(KNOWN_DEADLINE_MS, (client) => readCadence(client, keys, cameraId), cameraId)
        .catch(() => undefined),
    renewFrame: (camera, known, timesNow) =>
      attempt(camera.cameraId, (client) => {
        const times = timesNow();
        return renewFrame(client, keys, {
          known,
          ...times,
          ...storageFieldsOf(camera, times),
          ...stamp(),
          ...onRecovered(camera),
        });
      }),
    storeFailure: (camera, failure) => {
      const limits = frameLimitsOf(camera, failure.nextMs);
      const rememberMs = Math.max(failure.nextMs, camera.source.intervalMs);
      return storeAndLog(logFields(camera), { rememberMs, limits }, failure);
    },
    storeRejection: (cameraId, failure) =>
      storeAndLog({ cameraId }, REJECTED, { ...failure, nextMs: 5000 }),
    announceWait: ({ cameraId }, reason, inMs) =>
      sendBestEffort(cameraId, announce({ kind: 'wait', cameraId, reason, inMs })),
  };
}

/** Returns what log lines are limited by: the source, or the camera if it is named. */
function logFields({ cameraId, name, source }: Camera) {
  return { cameraId, ...(name === undefined ? { source: sourceLabel(source) } : { camera: name }) };
}

/** Returns how a camera's source wants frames and health stored. */
function storageFieldsOf(
  camera: Camera,
  times: Pick<NewFrame, 'startedAgoMs' | 'capturedAgoMs' | 'nextMs' | 'cadence'>,
) {
  const { cameraId, source } = camera;
  const { frozenAfterMs } = source;
  const callMs = times.startedAgoMs - times.capturedAgoMs;
  const limits = frameLimitsOf(camera, Math.max(times.nextMs, times.cadence?.freshForMs ?? 0));
  const longestGapMs = lateAfterMs(callMs, source, source.maxIntervalMs);
  return { cameraId, ...limits, frozenAfterMs, longestGapMs };
}
