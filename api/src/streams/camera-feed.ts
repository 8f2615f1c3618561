import type { Camera } from '@lastframe/shared/cameras/camera';
import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { runIsolated } from '@lastframe/shared/process/run-isolated';
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

/** An update about a camera. All its streams share one object, so it is encoded only once. */
export interface CameraUpdate {
  kind: UpdateKind;
  state: CameraState;
  /** By the frames Redis's clock. */
  nowMs: number;
}

/** `held` is the frame of the update, if this process has it. Do not store it with the update. */
export type SendUpdate = (update: CameraUpdate, held?: HeldFrame) => void;

type NewCameraWaitMs = (cameraId: string) => number;

/**
 * The cameras that streams in this process watch. A watched camera raises demand. Each change, read
 * from the store or announced, is sent to all its streams at once.
 */
export interface CameraFeed {
  /**
   * Sends the camera's state as soon as it is known, then every change, until the returned function
   * is called.
   * @param newCameraWaitMs returns the time until this viewer may request a camera that has no
   * frame; one function for all cameras of a viewer
   */
  subscribe(camera: Camera, send: SendUpdate, newCameraWaitMs: NewCameraWaitMs): () => void;
  /** Handles a read of the frame store. */
  onRead(camera: Camera, held: HeldFrame | undefined, stored: StoredCamera): void;
  /** Handles unchanged frames and failures; new frames arrive through `onRead`. */
  onAnnouncement(announcement: Announcement): void;
  /** Updates health as time passes and raises demand that had to wait; call it every second. */
  poll(): void;
}

export interface CameraFeedDeps {
  memory: MemoryCache;
  reader: FrameReader;
  presence: Presence;
  demand: Pick<Demand, 'raise'>;
  framesClock: Pick<FramesClock, 'nowMs'>;
}

interface LiveCamera {
  camera: Camera;
  /** Undefined until the store, or memory in its place, has been read. */
  state: CameraState | undefined;
  watchers: Map<object, { send: SendUpdate; newCameraWaitMs: NewCameraWaitMs }>;
  openedAtMs: number;
  isRequested: boolean;
  leave: () => void;
}

export function createCameraFeed(deps: CameraFeedDeps): CameraFeed {
  const { memory, reader, presence, framesClock } = deps;
  const all = new Map<string, LiveCamera>();

  const open = (camera: Camera) => {
    const live: LiveCamera = {
      camera,
      state: undefined,
      watchers: new Map(),
      openedAtMs: framesClock.nowMs(),
      isRequested: false,
      // Before the read, so that a frame stored in between is not missed.
      leave: presence.enter(camera),
    };
    all.set(camera.cameraId, live);
    void reader.read(camera).then(
      () => raiseDemand(live, deps),
      () => {
        // Without the store, only memory knows anything.
        const held = memory.peek(camera.cameraId);
        if (!live.state) updateState(live, held && factsOfHeld(held), {}, deps, held);
        raiseDemand(live, deps);
      },
    );
    return live;
  };

  return {
    subscribe: (camera, send, newCameraWaitMs) => {
      const { cameraId } = camera;
      const live = all.get(cameraId) ?? open(camera);
      const watcher = {};
      live.watchers.set(watcher, { send, newCameraWaitMs });
      if (live.camera.source !== camera.source) switchRules(live, camera, deps);
      if (live.state) {
        send({ ...initialUpdate(live.state), nowMs: framesClock.nowMs() }, memory.peek(cameraId));
        raiseDemand(live, deps);
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
      // A failure may have been announced since the store was read.
      const failure = live.state?.facts.failure;
      const isLater = failure !== undefined && failure.lastMs > nowMs;
      updateState(
        live,
        held && factsOfHeld(held),
        isLater ? { ...facts, failure } : facts,
        deps,
        held,
      );
    },
    onAnnouncement: (announcement) => {
      const live = all.get(announcement.cameraId);
      if (!live?.state) return;
      const { frame } = live.state;
      if (announcement.kind === 'unchanged' && frame?.etag === announcement.etag) {
        updateState(live, ...renewedFacts(live.state, announcement, framesClock.nowMs()), deps);
      } else if (announcement.kind === 'failure') {
        const facts = failedFacts(live.state.facts, announcement, framesClock.nowMs());
        updateState(live, frame, facts, deps);
      }
    },
    poll: () => {
      // One rejection per viewer is enough: they may watch any number of cameras that must wait.
      const rejected = new Set<NewCameraWaitMs>();
      for (const live of all.values()) {
        const { state } = live;
        if (!state) continue;
        runIsolated(() => updateState(live, state.frame, state.facts, deps));
        runIsolated(() => raiseDemand(live, deps, rejected));
      }
    },
  };
}

/** Applies what is known now and sends what changed. */
function updateState(
  live: LiveCamera,
  frame: FrameFacts | undefined,
  stored: HealthFacts,
  { framesClock }: CameraFeedDeps,
  held?: HeldFrame,
): void {
  const nowMs = framesClock.nowMs();
  const { asked } = stored;
  // An open stream counts as demand, which may have begun earlier elsewhere.
  const joins = asked !== undefined && asked.untilMs >= live.openedAtMs;
  const fromMs = joins ? Math.min(asked.fromMs, live.openedAtMs) : live.openedAtMs;
  const facts = { ...stored, asked: { fromMs, untilMs: nowMs } };
  const before = live.state;
  live.state = stateOf({ frame, facts }, live.camera.source, nowMs);
  const kind = updateBetween(before, live.state);
  if (kind === undefined) return;
  const update = { kind, state: live.state, nowMs };
  for (const { send } of live.watchers.values()) {
    runIsolated(() => send(update, kind === 'frame' ? held : undefined));
  }
}

/**
 * Raises demand once; it lasts while a viewer is present. One client may request only so many new
 * cameras, so a camera without a frame is retried each second.
 */
function raiseDemand(
  live: LiveCamera,
  deps: CameraFeedDeps,
  rejected: Set<NewCameraWaitMs> = new Set(),
): void {
  if (live.isRequested || live.watchers.size === 0) return;
  const mayAsk = live.state?.frame !== undefined || mayRequest(live, rejected);
  if (!mayAsk) return;
  live.isRequested = true;
  deps.demand.raise(live.camera);
}

/** Returns whether any viewer may request the camera; only that viewer's limit counts it. */
function mayRequest({ camera, watchers }: LiveCamera, rejected: Set<NewCameraWaitMs>): boolean {
  for (const { newCameraWaitMs } of watchers.values()) {
    if (rejected.has(newCameraWaitMs)) continue;
    if (newCameraWaitMs(camera.cameraId) === 0) return true;
    rejected.add(newCameraWaitMs);
  }
  return false;
}

/** Switches to the same camera under new rules. */
function switchRules(live: LiveCamera, camera: Camera, { presence, demand }: CameraFeedDeps): void {
  const { leave } = live;
  live.camera = camera;
  live.leave = presence.enter(camera);
  leave();
  if (live.isRequested) demand.raise(camera);
}

function initialUpdate(state: CameraState): Omit<CameraUpdate, 'nowMs'> {
  return { kind: updateBetween(undefined, state) ?? 'health', state };
}

function renewedFacts(
  { frame, facts: before }: CameraState,
  { facts, startedAgoMs, capturedAgoMs, freshForMs }: Extract<Announcement, { kind: 'unchanged' }>,
  nowMs: number,
): [FrameFacts | undefined, HealthFacts] {
  // A worker of an older version sends only ages.
  const times = facts ?? {
    startedAtMs: nowMs - startedAgoMs,
    capturedAtMs: nowMs - capturedAgoMs,
    changedAtMs: frame?.changedAtMs ?? nowMs,
  };
  const { startedAtMs, capturedAtMs, changedAtMs } = times;
  const goodSinceMs = facts?.goodSinceMs ?? before.goodSinceMs;
  return [
    frame && { ...frame, startedAtMs, capturedAtMs, changedAtMs, freshForMs },
    goodSinceMs === undefined ? {} : { goodSinceMs },
  ];
}

function failedFacts(
  before: HealthFacts,
  { facts, reason, nextMs }: Extract<Announcement, { kind: 'failure' }>,
  nowMs: number,
): HealthFacts {
  const sinceMs = before.failure?.sinceMs ?? nowMs;
  const times = facts ?? { sinceMs, lastMs: nowMs, nextAtMs: nowMs + nextMs };
  return { ...before, failure: { ...times, reason } };
}
