import type { Frame } from '@lastframe/shared/frames/frame';
import type { Purge } from '@lastframe/shared/frames/purge';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { LRUCache } from 'lru-cache';
import { makeStale } from './held-frame.ts';
import type { MemoryCache } from './memory-cache.ts';

/**
 * The purges that this process knows of. They outlast the frames in memory: a read under way during
 * a purge must not bring the frame back.
 */
export interface PurgeHistory {
  apply(purge: Purge): void;
  /** `stale`: serve the frame but request a new one; `gone`: do not serve it. */
  verdictFor(
    frame: Pick<Frame, 'cameraId' | 'startedAtMs'>,
    /** The frames Redis's time. A purge in the future predates a clock set back, and is ignored. */
    nowMs?: number,
  ): 'good' | 'stale' | 'gone';
  /** Calls the listener after each hard purge. */
  onHardPurge(listener: (cameraId: string) => void): void;
  /** Records that announcements may have been missed, so the list of purges must be read. */
  onMissedAnnouncements(): void;
  /** Reads that list if needed; call it regularly. */
  catchUp(): Promise<void>;
}

export interface PurgeHistoryDeps {
  clock: Clock;
  memory: MemoryCache;
  /** Reads the list of purges. @throws RedisUnavailableError */
  read: () => Promise<Purge[]>;
  log: Log;
}

/** How many cameras' purges are remembered. */
const MAX_CAMERAS = 50_000;

export function createPurgeHistory({ clock, memory, read, log }: PurgeHistoryDeps): PurgeHistory {
  const known = new LRUCache<string, Record<Purge['mode'], number>>({ max: MAX_CAMERAS });
  const listeners: ((cameraId: string) => void)[] = [];
  let gaps = 0;
  let caughtUpGaps = 0;
  let isReading = false;

  const verdictFor: PurgeHistory['verdictFor'] = (
    { cameraId, startedAtMs },
    nowMs = Number.POSITIVE_INFINITY,
  ) => {
    const purgedAtMs = known.get(cameraId);
    const isFromBefore = (atMs = Number.NEGATIVE_INFINITY) => startedAtMs <= atMs && atMs <= nowMs;
    if (isFromBefore(purgedAtMs?.hard)) return 'gone';
    return isFromBefore(purgedAtMs?.soft) ? 'stale' : 'good';
  };
  const apply = ({ cameraId, mode, purgedAtMs }: Purge) => {
    const never = Number.NEGATIVE_INFINITY;
    const before = known.get(cameraId) ?? { hard: never, soft: never };
    // A known purge has been applied, perhaps to a frame that was renewed since.
    if (purgedAtMs <= before[mode]) return;
    known.set(cameraId, { ...before, [mode]: purgedAtMs });
    const held = memory.peek(cameraId);
    const verdict = held && verdictFor(held);
    if (verdict === 'gone') memory.delete(cameraId);
    if (held && verdict === 'stale') makeStale(held, clock.monoMs());
    if (held) log.debug({ cameraId, mode }, 'frame purged');
    if (mode === 'hard') for (const listener of listeners) listener(cameraId);
  };

  const catchUp = async () => {
    if (isReading || caughtUpGaps === gaps) return;
    isReading = true;
    const gapsAtStart = gaps;
    try {
      for (const purge of await read()) apply(purge);
      caughtUpGaps = gapsAtStart;
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'reading the list of purges failed');
    } finally {
      isReading = false;
    }
  };
  return {
    apply,
    verdictFor,
    onHardPurge: (listener) => void listeners.push(listener),
    onMissedAnnouncements: () => {
      gaps += 1;
    },
    catchUp,
  };
}
