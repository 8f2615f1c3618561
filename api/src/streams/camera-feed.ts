import type { Camera } from '@lastframe/shared/cameras/camera';
import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { contain } from '@lastframe/shared/process/contain';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import type { FrameReader } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import {
  type CameraState,
  type FrameFacts,
  factsOfHeld,
  stateOf,
  type UpdateKind,
  updateBetween,
} from '../camera-status/camera-status.ts';
import type { Demand } from '../demand/demand.ts';
import type { Presence } from '../demand/presence.ts';

/** What a stream is told of a camera. One for all who watch it: what is encoded is encoded once. */
export interface CameraUpdate {
  kind: UpdateKind;
  state: CameraState;
  /** Of the frames Redis's clock. */
  nowMs: number;
}

/** `held` is there when the news is a frame that is at hand: it must not be kept with the news. */
export type SendUpdate = (news: CameraUpdate, held?: HeldFrame) => void;

type WaitMs = (cameraId: string) => number;

/**
 * The cameras that streams watch in this process. While one is watched it is demand, and whatever is
 * learnt of it, by a read of the store or an announcement, is told to all its streams at once.
 */
export interface CameraFeed {
  /**
   * Tells how the camera is, as soon as that is known, and then all that is new, until the function
   * that it gives is called.
   * @param waitMs how long it is until this viewer may ask for a camera that has no frame; the same
   * function for all the cameras of a viewer
   */
  subscribe(camera: Camera, tell: SendUpdate, waitMs: WaitMs): () => void;
  /** A read of the frame store. */
  onRead(camera: Camera, held: HeldFrame | undefined, stored: StoredCamera): void;
  /** News that are in no frame: those are read first. */
  onAnnouncement(announcement: Announcement): void;
  /** Health that follows from the clock, and cameras that may be asked for by now; to be called every second. */
  poll(): void;
}

export interface CameraFeedDeps {
  memory: MemoryCache;
  reader: FrameReader;
  viewers: Presence;
  demand: Pick<Demand, 'raise'>;
  framesClock: Pick<FramesClock, 'nowMs'>;
}

interface LiveCamera {
  camera: Camera;
  /** Undefined until the store, or memory in its place, has said. */
  state: CameraState | undefined;
  watchers: Map<object, { tell: SendUpdate; waitMs: WaitMs }>;
  openedAtMs: number;
  isWanted: boolean;
  leave: () => void;
}

export function createCameraFeed(deps: CameraFeedDeps): CameraFeed {
  const { memory, reader, viewers, framesClock } = deps;
  const all = new Map<string, LiveCamera>();

  const open = (camera: Camera) => {
    const live: LiveCamera = {
      camera,
      state: undefined,
      watchers: new Map(),
      openedAtMs: framesClock.nowMs(),
      isWanted: false,
      // Before the store is read: a frame that comes in between must not be missed.
      leave: viewers.enter(camera),
    };
    all.set(camera.cameraId, live);
    void reader.read(camera).then(
      () => want(live, deps),
      () => {
        // The store is away: what memory has is all that is known.
        const held = memory.peek(camera.cameraId);
        if (!live.state) learn(live, held && factsOfHeld(held), {}, deps, held);
        want(live, deps);
      },
    );
    return live;
  };

  return {
    subscribe: (camera, tell, waitMs) => {
      const { cameraId } = camera;
      const live = all.get(cameraId) ?? open(camera);
      const watcher = {};
      live.watchers.set(watcher, { tell, waitMs });
      if (live.camera.source !== camera.source) follow(live, camera, deps);
      if (live.state) {
        tell({ ...initialNews(live.state), nowMs: framesClock.nowMs() }, memory.peek(cameraId));
        want(live, deps);
      }
      return () => {
        live.watchers.delete(watcher);
        if (live.watchers.size > 0 || all.get(cameraId) !== live) return;
        all.delete(cameraId);
        live.leave();
      };
    },
    onRead: ({ cameraId }, held, { facts, nowMs }) => {
      const live = all.get(cameraId);
      if (!live) return;
      // It may have been announced since the store was read.
      const failure = live.state?.facts.failure;
      const isLater = failure !== undefined && failure.lastMs > nowMs;
      learn(live, held && factsOfHeld(held), isLater ? { ...facts, failure } : facts, deps, held);
    },
    onAnnouncement: (announcement) => {
      const live = all.get(announcement.cameraId);
      if (!live?.state) return;
      const { frame } = live.state;
      if (announcement.kind === 'unchanged' && frame?.etag === announcement.etag) {
        learn(live, ...renewed(live.state, announcement, framesClock.nowMs()), deps);
      } else if (announcement.kind === 'failure') {
        learn(live, frame, failed(live.state.facts, announcement, framesClock.nowMs()), deps);
      }
    },
    poll: () => {
      // One refusal is enough: a viewer may show any number of cameras that are not its turn yet.
      const refused = new Set<WaitMs>();
      for (const live of all.values()) {
        const { state } = live;
        if (!state) continue;
        contain(() => learn(live, state.frame, state.facts, deps));
        contain(() => want(live, deps, refused));
      }
    },
  };
}

/** Takes in what is known now, and tells what of it is new. */
function learn(
  live: LiveCamera,
  frame: FrameFacts | undefined,
  stored: HealthFacts,
  { framesClock }: CameraFeedDeps,
  held?: HeldFrame,
): void {
  const nowMs = framesClock.nowMs();
  const { asked } = stored;
  // Whoever has a stream open asks; perhaps somebody else had been asking before.
  const joins = asked !== undefined && asked.untilMs >= live.openedAtMs;
  const fromMs = joins ? Math.min(asked.fromMs, live.openedAtMs) : live.openedAtMs;
  const facts = { ...stored, asked: { fromMs, untilMs: nowMs } };
  const before = live.state;
  live.state = stateOf({ frame, facts }, live.camera.source, nowMs);
  const kind = updateBetween(before, live.state);
  if (kind === undefined) return;
  const news = { kind, state: live.state, nowMs };
  for (const { tell } of live.watchers.values()) {
    contain(() => tell(news, kind === 'frame' ? held : undefined));
  }
}

/**
 * Raises demand; it goes on by itself while somebody is present. A camera without a frame is new to
 * the fleet, and one client may not ask for any number of those: it is tried again each second.
 */
function want(live: LiveCamera, deps: CameraFeedDeps, refused: Set<WaitMs> = new Set()): void {
  if (live.isWanted || live.watchers.size === 0) return;
  const mayAsk = live.state?.frame !== undefined || isAllowed(live, refused);
  if (!mayAsk) return;
  live.isWanted = true;
  deps.demand.raise(live.camera);
}

/** One viewer that may ask for it is enough, and it counts for that one alone. */
function isAllowed({ camera, watchers }: LiveCamera, refused: Set<WaitMs>): boolean {
  for (const { waitMs } of watchers.values()) {
    if (refused.has(waitMs)) continue;
    if (waitMs(camera.cameraId) === 0) return true;
    refused.add(waitMs);
  }
  return false;
}

/** The same camera under other rules. */
function follow(live: LiveCamera, camera: Camera, { viewers, demand }: CameraFeedDeps): void {
  const { leave } = live;
  live.camera = camera;
  live.leave = viewers.enter(camera);
  leave();
  if (live.isWanted) demand.raise(camera);
}

function initialNews(state: CameraState): Omit<CameraUpdate, 'nowMs'> {
  return { kind: updateBetween(undefined, state) ?? 'health', state };
}

function renewed(
  { frame, facts: before }: CameraState,
  { facts, startedAgoMs, capturedAgoMs }: Extract<Announcement, { kind: 'unchanged' }>,
  nowMs: number,
): [FrameFacts | undefined, HealthFacts] {
  // A worker of an older version tells ages only.
  const times = facts ?? {
    startedAtMs: nowMs - startedAgoMs,
    capturedAtMs: nowMs - capturedAgoMs,
    changedAtMs: frame?.changedAtMs ?? nowMs,
  };
  const { startedAtMs, capturedAtMs, changedAtMs } = times;
  const goodSinceMs = facts?.goodSinceMs ?? before.goodSinceMs;
  return [
    frame && { ...frame, startedAtMs, capturedAtMs, changedAtMs },
    goodSinceMs === undefined ? {} : { goodSinceMs },
  ];
}

function failed(
  before: HealthFacts,
  { facts, reason, nextMs }: Extract<Announcement, { kind: 'failure' }>,
  nowMs: number,
): HealthFacts {
  const sinceMs = before.failure?.sinceMs ?? nowMs;
  const times = facts ?? { sinceMs, lastMs: nowMs, nextAtMs: nowMs + nextMs };
  return { ...before, failure: { ...times, reason } };
}
