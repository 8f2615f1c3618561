import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { contain } from '@lastframe/shared/process/contain';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FrameReader } from '../cache/frame-reader.ts';
import { markOutdated, renew } from '../cache/held-frame.ts';
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
  viewers: Presence;
  demand: Demand;
  coldWait: FrameWaiters;
  purges: Pick<PurgeHistory, 'apply' | 'verdictFor'>;
  /** Open streams. */
  live?: Pick<CameraFeed, 'onAnnouncement'>;
  log: Log;
}

/**
 * What this process does about an announcement: a new frame of a camera that somebody watches is
 * read once and swapped in; of others it is only known that memory may be behind.
 */
export function handleAnnouncement(announcement: Announcement, deps: AnnouncementDeps): void {
  const { demand, live } = deps;
  contain(() => updateFrame(announcement, deps));
  contain(() => demand.onAnnouncement(announcement));
  contain(() => live?.onAnnouncement(announcement));
}

/** Those who have a frame, or wait for one. */
function updateFrame(announcement: Announcement, deps: AnnouncementDeps): void {
  if (announcement.kind === 'frame') void readIfWatched(announcement.cameraId, deps);
  else if (announcement.kind === 'unchanged') handleUnchanged(announcement, deps);
  else if (announcement.kind === 'purge') deps.purges.apply(announcement);
  else deps.coldWait.onAnnouncement(announcement);
}

/** Reads anew what the store has of a camera, if somebody watches it here; else memory is unsure of it. */
export async function readIfWatched(cameraId: string, deps: AnnouncementDeps): Promise<void> {
  const { memory, viewers, reader, log } = deps;
  const camera = viewers.watchedCamera(cameraId);
  if (!camera) {
    markHeldOutdated(cameraId, memory);
    return;
  }
  try {
    await reader.readAnew(camera);
  } catch (error) {
    markHeldOutdated(cameraId, memory);
    log.debug({ cameraId, reason: messageOf(error) }, 'a new frame could not be read');
  }
}

/** The same bytes again: memory has them, if it has the camera at all. */
function handleUnchanged(
  announcement: Extract<Announcement, { kind: 'unchanged' }>,
  deps: AnnouncementDeps,
): void {
  const { cameraId, etag, startedAgoMs, capturedAgoMs, facts } = announcement;
  const held = deps.memory.peek(cameraId);
  if (held?.etag !== etag) {
    void readIfWatched(cameraId, deps);
    return;
  }
  // Under the rules in force now.
  const camera = deps.viewers.watchedCamera(cameraId) ?? held.camera;
  const monoMs = deps.clock.monoMs();
  // Of a call from before a soft purge: it must not make fresh again what is to be called for anew.
  const isPurged =
    facts && deps.purges.verdictFor({ cameraId, startedAtMs: facts.startedAtMs }) === 'stale';
  const leastAgoMs = isPurged ? camera.source.intervalMs : 0;
  const isNewer = facts !== undefined && facts.startedAtMs > held.startedAtMs;
  renew(held, {
    camera,
    startedMonoMs: Math.max(held.startedMonoMs, monoMs - Math.max(startedAgoMs, leastAgoMs)),
    capturedMonoMs: Math.max(held.capturedMonoMs, monoMs - capturedAgoMs),
    ...(isNewer && { startedAtMs: facts.startedAtMs, capturedAtMs: facts.capturedAtMs }),
  });
}

function markHeldOutdated(cameraId: string, memory: MemoryCache): void {
  const held = memory.peek(cameraId);
  if (held) markOutdated(held);
}
