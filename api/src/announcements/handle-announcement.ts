import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { contain } from '@lastframe/shared/process/contain';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FrameReader } from '../cache/frame-reader.ts';
import { markOutdated, renew } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { Purges } from '../cache/purge-history.ts';
import type { Demand } from '../demand/demand.ts';
import type { Viewers } from '../demand/presence.ts';
import type { ColdWait } from '../lookup/frame-waiters.ts';
import type { Live } from '../streams/camera-feed.ts';

export interface NewsDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  viewers: Viewers;
  demand: Demand;
  coldWait: ColdWait;
  purges: Pick<Purges, 'heed' | 'judge'>;
  /** Open streams. */
  live?: Pick<Live, 'heed'>;
  log: Log;
}

/**
 * What this process does about an announcement: a new frame of a camera that somebody watches is
 * read once and swapped in; of others it is only known that memory may be behind.
 */
export function heedAnnouncement(announcement: Announcement, deps: NewsDeps): void {
  const { demand, live } = deps;
  contain(() => updateFrame(announcement, deps));
  contain(() => demand.heed(announcement));
  contain(() => live?.heed(announcement));
}

/** Those who have a frame, or wait for one. */
function updateFrame(announcement: Announcement, deps: NewsDeps): void {
  if (announcement.kind === 'frame') void readWatched(announcement.cameraId, deps);
  else if (announcement.kind === 'unchanged') handleUnchanged(announcement, deps);
  else if (announcement.kind === 'purge') deps.purges.heed(announcement);
  else deps.coldWait.heed(announcement);
}

/** Reads anew what the store has of a camera, if somebody watches it here; else memory is unsure of it. */
export async function readWatched(cameraId: string, deps: NewsDeps): Promise<void> {
  const { memory, viewers, reader, log } = deps;
  const camera = viewers.watched(cameraId);
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
  deps: NewsDeps,
): void {
  const { cameraId, etag, startedAgoMs, capturedAgoMs, facts } = announcement;
  const held = deps.memory.peek(cameraId);
  if (held?.etag !== etag) {
    void readWatched(cameraId, deps);
    return;
  }
  // Under the rules in force now.
  const camera = deps.viewers.watched(cameraId) ?? held.camera;
  const monoMs = deps.clock.monoMs();
  // Of a call from before a soft purge: it must not make fresh again what is to be called for anew.
  const isPurged =
    facts && deps.purges.judge({ cameraId, startedAtMs: facts.startedAtMs }) === 'stale';
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
