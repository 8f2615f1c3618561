import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { runIsolated } from '@lastframe/shared/process/run-isolated';
import type { FrameReader } from '../cache/frame-reader.ts';
import { endFreshTime, markPossiblyOutdated, renew } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { PurgeHistory } from '../cache/purge-history.ts';
import type { Demand } from '../demand/demand.ts';
import type { Presence } from '../demand/presence.ts';
import type { FrameWaiters } from '../lookup/frame-waiters.ts';
import type { CameraFeed } from '../streams/camera-feed.ts';

export interface AnnouncementDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  presence: Presence;
  demand: Demand;
  waiters: FrameWaiters;
  purges: Pick<PurgeHistory, 'apply' | 'verdictFor'>;
  /** Open streams. */
  cameraFeed: Pick<CameraFeed, 'onAnnouncement'>;
  log: Log;
}

/**
 * Applies an announcement to this process. The new frame of a watched camera is read once; for
 * other cameras, the frame in memory is only marked outdated.
 */
export function handleAnnouncement(announcement: Announcement, deps: AnnouncementDeps): void {
  const { demand, cameraFeed } = deps;
  runIsolated(() => updateFrame(announcement, deps));
  runIsolated(() => demand.onAnnouncement(announcement));
  runIsolated(() => cameraFeed.onAnnouncement(announcement));
}

/** Updates the frame in memory, or the requests that wait for one. */
function updateFrame(announcement: Announcement, deps: AnnouncementDeps): void {
  if (announcement.kind === 'frame') void readIfWatched(announcement.cameraId, deps);
  else if (announcement.kind === 'unchanged') handleUnchanged(announcement, deps);
  else if (announcement.kind === 'purge') deps.purges.apply(announcement);
  else {
    if (announcement.kind === 'failure') handleFailure(announcement.cameraId, deps);
    deps.waiters.onAnnouncement(announcement);
  }
}

/** The camera is due again when it may be called, even if no new picture was expected yet. */
function handleFailure(cameraId: string, { memory }: AnnouncementDeps): void {
  const held = memory.peek(cameraId);
  if (held) endFreshTime(held);
}

/** Reads a camera's frame if it is watched here; otherwise marks the one in memory outdated. */
export async function readIfWatched(cameraId: string, deps: AnnouncementDeps): Promise<void> {
  const { memory, presence, reader, log } = deps;
  const camera = presence.watchedCamera(cameraId);
  if (!camera) {
    markHeldOutdated(cameraId, memory);
    return;
  }
  try {
    await reader.readFromNow(camera);
  } catch (error) {
    markHeldOutdated(cameraId, memory);
    log.debug({ cameraId, reason: messageOf(error) }, 'reading a new frame failed');
  }
}

/** Renews the frame in memory; reads it if memory has other bytes or none. */
function handleUnchanged(
  announcement: Extract<Announcement, { kind: 'unchanged' }>,
  deps: AnnouncementDeps,
): void {
  const { cameraId, etag, startedAgoMs, capturedAgoMs, freshForMs, facts } = announcement;
  const held = deps.memory.peek(cameraId);
  if (held?.etag !== etag) {
    void readIfWatched(cameraId, deps);
    return;
  }
  // With the rules in force now.
  const camera = deps.presence.watchedCamera(cameraId) ?? held.camera;
  const monoMs = deps.clock.monoMs();
  // A call that began before a soft purge must not make the frame fresh again.
  const isPurged =
    facts && deps.purges.verdictFor({ cameraId, startedAtMs: facts.startedAtMs }) === 'stale';
  const leastAgoMs = isPurged ? camera.source.intervalMs : 0;
  const isNewer = facts !== undefined && facts.startedAtMs > held.startedAtMs;
  const isOlder = facts !== undefined && facts.startedAtMs < held.startedAtMs;
  renew(held, {
    camera,
    startedMonoMs: Math.max(held.startedMonoMs, monoMs - Math.max(startedAgoMs, leastAgoMs)),
    capturedMonoMs: Math.max(held.capturedMonoMs, monoMs - capturedAgoMs),
    ...(!isOlder && { freshForMs: isPurged ? undefined : freshForMs }),
    ...(isNewer && { startedAtMs: facts.startedAtMs, capturedAtMs: facts.capturedAtMs }),
  });
}

function markHeldOutdated(cameraId: string, memory: MemoryCache): void {
  const held = memory.peek(cameraId);
  if (held) markPossiblyOutdated(held);
}
