import type { Camera } from '@lastframe/shared/cameras/camera';
import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import { type FrameLimits, frameLimitsOf } from '@lastframe/shared/frames/frame-limits';
import {
  type CapturedFrame,
  type KnownFrame,
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
} from '@lastframe/shared/messages/announcement';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import { sourceLabel } from '@lastframe/shared/telemetry/metrics';
import pRetry from 'p-retry';
import type { Refusal } from '../admission/camera-places.ts';
import {
  type Denial,
  type Finish,
  finishInTime,
  type Permit,
  type Permits,
} from '../permit/permits.ts';
import { createTurns } from './turns.ts';

type NewFrame = Omit<
  CapturedFrame,
  'cameraId' | keyof FrameLimits | 'longestGapMs' | 'frozenAfterMs' | 'sentAtMs'
>;

/**
 * Tells the fleet what became of a refresh. What took a camera seconds to give is worth repeating
 * when Redis blinks; nothing here ever repeats a call.
 */
export interface RefreshResults {
  /** @param askedBy the api process whose job it was */
  started(camera: Camera, askedBy?: string): void;
  /** @throws RedisUnavailableError when the frame could not be stored within two seconds */
  frame(camera: Camera, frameNow: () => NewFrame): Promise<StoreOutcome>;
  /** What the next call can ask with, if a frame is still stored; undefined also when Redis is slow. */
  known(camera: Camera): Promise<KnownFrame | undefined>;
  /** The known frame is still the last one. @throws RedisUnavailableError as `frame` does */
  renewed(
    camera: Camera,
    known: KnownFrame,
    timesNow: () => Pick<NewFrame, 'startedAgoMs' | 'capturedAgoMs' | 'nextMs' | 'trace'>,
  ): Promise<'frame' | 'unchanged' | 'older' | 'missing'>;
  failed(camera: Camera, failure: Failure): Promise<void>;
  refused(cameraId: string, failure: Omit<Failure, 'nextMs'>): Promise<void>;
  wait(camera: Camera, reason: Denial | Refusal, inMs: number): Promise<void>;
  /** Gives how long it is until a permit can be had again. */
  finish(permit: Permit, endNow: () => Finish): Promise<number>;
}

export interface ReporterDeps {
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  permits: Pick<Permits, 'finish'>;
  /** Redis's time, for who measures how long news is under way. */
  redisNowMs?: () => number | undefined;
  log: Log;
}

const DEADLINE_MS = 1000;
/** It runs while a permit's start allowance does; without an answer the call is just not conditional. */
const KNOWN_DEADLINE_MS = 250;
/** Larger frames take turns: all others, and all news, go over the same connection and would wait behind them. */
const LARGE_BYTES = 256 * 1024;
const LARGE_AT_ONCE = 2;
/** What is forgotten is only read once more. */
const MAX_NOTED_CAMERAS = 100_000;
/** Of a camera that no source here allows nothing is known, and nothing of it is kept for longer. */
const REFUSED = {
  rememberMs: 5000,
  limits: { staleForMs: 0, keepMs: 0, keepHealthMs: 60_000 },
};
const RETRY = { retries: 8, minTimeout: 20, maxTimeout: 500, maxRetryTime: 2000, randomize: true };

export function createRefreshResults(deps: ReporterDeps): RefreshResults {
  const { frames, keys, permits, log } = deps;
  const largeInTurn = createTurns(LARGE_AT_ONCE);
  const stamp = () => ({ sentAtMs: deps.redisNowMs?.() });
  const attempt = <T>(cameraId: string, command: (client: RedisClient) => Promise<T>) =>
    pRetry(() => frames.run(DEADLINE_MS, command, cameraId), RETRY);
  /** News that nobody must have: an api that misses it asks again. */
  const tell = async (cameraId: string, work: Promise<unknown>) => {
    await work.catch((error) => log.warn({ cameraId, reason: messageOf(error) }, 'news not sent'));
  };
  const announce = (
    message: Parameters<typeof publishAnnouncement>[2] & Pick<Announcement, 'cameraId'>,
  ) =>
    frames.run(
      DEADLINE_MS,
      (client) => publishAnnouncement(client, keys, { ...message, ...stamp() }),
      message.cameraId,
    );
  const failure = async (
    { cameraId, ...group }: { cameraId: string; source?: string; camera?: string },
    remember: { rememberMs: number; limits: Parameters<typeof storeFailure>[2]['limits'] },
    what: Failure,
  ) => {
    const stored = attempt(cameraId, (client) =>
      storeFailure(client, keys, { cameraId, ...remember, ...what, ...stamp() }),
    );
    const isFirst = stored.then((first) => {
      if (first) log.warn({ cameraId, ...group, reason: what.reason }, 'camera failing');
    });
    await tell(cameraId, isFirst);
  };
  /** One line for the whole fleet: the store knows whether it was failing. */
  const onRecovered = (camera: Camera) => ({
    onRecovered: () => log.info(logFields(camera), 'camera live again'),
  });

  /** Cameras whose last frame, as this worker stored it, came without validators. */
  const unconditional = new Set<string>();
  const noteValidators = (cameraId: string, { validators }: NewFrame) => {
    if (unconditional.size > MAX_NOTED_CAMERAS) unconditional.clear();
    if (validators) unconditional.delete(cameraId);
    else unconditional.add(cameraId);
  };

  return {
    started: ({ cameraId, source: { timeoutMs: overMs } }, askedBy) =>
      void tell(cameraId, announce({ kind: 'started', cameraId, overMs, askedBy })),
    frame: (camera, frameNow) => {
      const store = () =>
        attempt(camera.cameraId, (client) => {
          const frame = frameNow();
          noteValidators(camera.cameraId, frame);
          return storeFrame(client, keys, {
            ...frame,
            ...ofCamera(camera, frame),
            ...stamp(),
            ...onRecovered(camera),
          });
        });
      return frameNow().bytes.length > LARGE_BYTES ? largeInTurn(store) : store();
    },
    known: async ({ cameraId }) => {
      // Should another worker have stored validators since, one call is made without them.
      if (unconditional.has(cameraId)) return undefined;
      return await frames
        .run(KNOWN_DEADLINE_MS, (client) => readKnownFrame(client, keys, cameraId), cameraId)
        .catch(() => undefined);
    },
    renewed: (camera, known, timesNow) =>
      attempt(camera.cameraId, (client) => {
        const times = timesNow();
        return renewFrame(client, keys, {
          known,
          ...times,
          ...ofCamera(camera, times),
          ...stamp(),
          ...onRecovered(camera),
        });
      }),
    failed: (camera, what) => {
      const limits = frameLimitsOf(camera, what.nextMs);
      const rememberMs = Math.max(what.nextMs, camera.source.intervalMs);
      return failure(logFields(camera), { rememberMs, limits }, what);
    },
    refused: (cameraId, what) => failure({ cameraId }, REFUSED, { ...what, nextMs: 5000 }),
    wait: ({ cameraId }, reason, inMs) =>
      tell(cameraId, announce({ kind: 'wait', cameraId, reason, inMs })),
    finish: (permit, endNow) => finishInTime(permit, endNow, permits),
  };
}

/** Lines of unnamed cameras are limited for their source, lines of a named one for itself. */
function logFields({ cameraId, name, source }: Camera) {
  return { cameraId, ...(name === undefined ? { source: sourceLabel(source) } : { camera: name }) };
}

/** What a camera's source says about storing its frames, and about its health. */
function ofCamera(
  camera: Camera,
  {
    startedAgoMs,
    capturedAgoMs,
    nextMs,
  }: Pick<NewFrame, 'startedAgoMs' | 'capturedAgoMs' | 'nextMs'>,
) {
  const { cameraId, source } = camera;
  const { frozenAfterMs } = source;
  const times = { startedAtMs: -startedAgoMs, capturedAtMs: -capturedAgoMs };
  const limits = frameLimitsOf(camera, nextMs);
  return { cameraId, ...limits, frozenAfterMs, longestGapMs: lateAfterMs(times, source) };
}
