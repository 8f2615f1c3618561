import type { Camera } from '@lastframe/shared/cameras/camera';
import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import { freshTimeMs } from '@lastframe/shared/cameras/fresh-time';
import { etagOf } from '@lastframe/shared/http/etag';
import type { Rejection } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { createLog } from '@lastframe/shared/process/log';
import { createFramesClock } from '@lastframe/shared/redis/redis-clock';
import { createStep } from '@lastframe/shared/telemetry/steps';
import { vi } from 'vitest';
import { createNewCameraLimit } from '../access/new-camera-limit.ts';
import type { FrameReader, ReadCamera, ReadListener } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { createMemoryCache } from '../cache/memory-cache.ts';
import { createPurgeHistory } from '../cache/purge-history.ts';
import type { Demand } from '../demand/demand.ts';
import { createPresence } from '../demand/presence.ts';
import { createCameraFeed } from '../streams/camera-feed.ts';
import { createOpenStreams } from '../streams/open-streams.ts';

export const silentLog = createLog('test', 'silent');

/** The clock that `vi.useFakeTimers` controls. */
export const testClock: Clock = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

/** A frame in memory that was started and captured the given times ago. */
export function heldFrame(
  camera: Camera,
  { text = 'frame', startedAgoMs = 0, capturedAgoMs = startedAgoMs, ...over } = {} as Partial<
    HeldFrame & { text: string; startedAgoMs: number; capturedAgoMs: number }
  >,
): HeldFrame {
  const bytes = Buffer.from(text);
  const redisMs = 1_790_000_000_000;
  return {
    cameraId: camera.cameraId,
    camera,
    bytes,
    contentType: 'image/jpeg',
    etag: etagOf(bytes),
    startedAtMs: redisMs - startedAgoMs,
    capturedAtMs: redisMs - capturedAgoMs,
    changedAtMs: redisMs - capturedAgoMs,
    startedMonoMs: testClock.monoMs() - startedAgoMs,
    capturedMonoMs: testClock.monoMs() - capturedAgoMs,
    mayBeOutdated: false,
    lastRequestedMonoMs: Number.NEGATIVE_INFINITY,
    watchedUntilMonoMs: watchedUntil(camera, over),
    ...over,
  };
}

/** As a request at that time would set it. */
function watchedUntil(
  { source }: Camera,
  { lastRequestedMonoMs = Number.NEGATIVE_INFINITY, freshForMs }: Partial<HeldFrame>,
): number {
  return lastRequestedMonoMs + 2 * freshTimeMs(source, freshForMs);
}

/** Memory, presence, and a Redis and a fleet that do what the test says. */
export function testParts() {
  const clock = testClock;
  const memory = createMemoryCache(1024 ** 2);
  const stored: ReadCamera = {};
  const listeners: ReadListener[] = [];
  const read = vi.fn(async (camera: Camera): Promise<ReadCamera> => {
    const found = { ...stored };
    for (const listener of listeners) listener(camera, found, { nowMs: 0, facts: {} });
    return found;
  });
  const onRead = (listener: ReadListener) => void listeners.push(listener);
  const reader = { read, readFromNow: vi.fn(read), onRead } satisfies FrameReader;
  const fleet = {
    closed: undefined as string | undefined,
    whyCannotCall: () => fleet.closed,
    redisNowMs: (): number | undefined => 1_790_000_000_000 + Math.floor(clock.monoMs()),
    snapshot: () => undefined,
    holdOffBeganMs: () => 0,
    poll: async () => {},
  };
  const presence = createPresence({ clock, memory });
  const purges = createPurgeHistory({ clock, memory, read: async () => [], log: silentLog });
  const framesClock = createFramesClock(clock);
  return { clock, memory, presence, purges, stored, reader, fleet, framesClock, log: silentLog };
}

/** A demand that raises nothing, as spies. */
export function testDemand() {
  return {
    raise: vi.fn(),
    onAnnouncement: vi.fn(),
    recheck: vi.fn(),
    announcedWaitMs: vi.fn(() => 0),
    rejection: vi.fn((_cameraId: string): Rejection | undefined => undefined),
    newCameraWaitMs: vi.fn((_cameraId: string) => 0),
    close: vi.fn(),
  } satisfies Demand;
}

/** What streams need besides those parts and a demand that the test watches. */
export function streamParts(
  {
    memory,
    reader,
    presence,
    framesClock,
  }: Pick<ReturnType<typeof testParts>, 'memory' | 'reader' | 'presence' | 'framesClock'>,
  demand: Pick<Demand, 'raise'>,
  { maxStreams = 10 } = {},
) {
  const cameraFeed = createCameraFeed({ memory, reader, presence, demand, framesClock });
  /** Reports a read to the streams, as compose.ts connects them. */
  const tellRead = (camera: Camera, { held }: ReadCamera, facts: HealthFacts = {}) =>
    cameraFeed.onRead(camera, held, { nowMs: framesClock.nowMs(), facts });
  const streams = createOpenStreams(maxStreams);
  return { cameraFeed, tellRead, streams, random: () => 0.5, ...openToAll };
}

/** No signatures, limits or proxies. */
const openToAll = {
  urlSigningKey: '',
  noticeCacheBuster: () => {},
  newCameraLimit: createNewCameraLimit(testClock, 0),
  trustedProxies: [],
};

/** What the routes need besides streams, a lookup and rules. */
export const appParts = {
  ...openToAll,
  servedBy: 'host-1',
  basePath: '/',
  placeholder: false,
  fleetId: { pseudonym: () => 'lastframe-0123456789ab' },
  cameraList: { read: async () => [] },
  wall: new Map(),
  learnedTargets: undefined,
  step: createStep(silentLog, undefined),
  onResponse: () => {},
};
