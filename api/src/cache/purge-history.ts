import type { Frame } from '@lastframe/shared/frames/frame';
import type { Purge } from '@lastframe/shared/frames/purge';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { LRUCache } from 'lru-cache';
import { makeStale } from './held-frame.ts';
import type { MemoryCache } from './memory-cache.ts';

/**
 * What operators purged, as far as this process has heard. It outlasts the frames in memory: a read
 * that was under way during a purge must not bring the frame back.
 */
export interface PurgeHistory {
  apply(purge: Purge): void;
  /** `stale`: to be shown, but called for anew; `gone`: not to be shown. */
  verdictFor(
    frame: Pick<Frame, 'cameraId' | 'startedAtMs'>,
    /** Of the frames Redis: a purge from the future was before its clock was set back, and is over. */
    nowMs?: number,
  ): 'good' | 'stale' | 'gone';
  /** Calls the listener after each hard purge. */
  onHardPurge(listener: (cameraId: string) => void): void;
  /** Announcements may have been missed: the list of purges has to be read. */
  onMissedAnnouncements(): void;
  /** Reads that list if it has to be; to be called again and again. */
  catchUp(): Promise<void>;
}

export interface PurgeHistoryDeps {
  clock: Clock;
  memory: MemoryCache;
  /** The list of purges. @throws RedisUnavailableError */
  read: () => Promise<Purge[]>;
  log: Log;
}

/** Of how many cameras purges are remembered. */
const MAX_CAMERAS = 50_000;

export function createPurgeHistory({ clock, memory, read, log }: PurgeHistoryDeps): PurgeHistory {
  const known = new LRUCache<string, Record<Purge['mode'], number>>({ max: MAX_CAMERAS });
  const listeners: ((cameraId: string) => void)[] = [];
  let gaps = 0;
  let caughtUpGaps = 0;
  let isReading = false;

  const judge: PurgeHistory['verdictFor'] = (
    { cameraId, startedAtMs },
    nowMs = Number.POSITIVE_INFINITY,
  ) => {
    const purgedAtMs = known.get(cameraId);
    const isFromBefore = (atMs = Number.NEGATIVE_INFINITY) => startedAtMs <= atMs && atMs <= nowMs;
    if (isFromBefore(purgedAtMs?.hard)) return 'gone';
    return isFromBefore(purgedAtMs?.soft) ? 'stale' : 'good';
  };
  const heed = ({ cameraId, mode, purgedAtMs }: Purge) => {
    const never = Number.NEGATIVE_INFINITY;
    const before = known.get(cameraId) ?? { hard: never, soft: never };
    // What is known already was applied already, perhaps to a frame that was renewed since.
    if (purgedAtMs <= before[mode]) return;
    known.set(cameraId, { ...before, [mode]: purgedAtMs });
    const held = memory.peek(cameraId);
    const verdict = held && judge(held);
    if (verdict === 'gone') memory.delete(cameraId);
    if (held && verdict === 'stale') makeStale(held, clock.monoMs());
    if (held) log.debug({ cameraId, mode }, 'frame purged');
    if (mode === 'hard') for (const listener of listeners) listener(cameraId);
  };

  const catchUp = async () => {
    if (isReading || caughtUpGaps === gaps) return;
    isReading = true;
    const reading = gaps;
    try {
      for (const purge of await read()) heed(purge);
      caughtUpGaps = reading;
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'the list of purges could not be read');
    } finally {
      isReading = false;
    }
  };
  return {
    apply: heed,
    verdictFor: judge,
    onHardPurge: (listener) => void listeners.push(listener),
    onMissedAnnouncements: () => {
      gaps += 1;
    },
    catchUp,
  };
}
