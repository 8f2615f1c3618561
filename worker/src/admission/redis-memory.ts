import { NAMED_LIMIT, NEW_CAMERAS_LIMIT } from '@lastframe/shared/frames/frame-limits';
import type { Log } from '@lastframe/shared/process/log';
import { infoField } from '@lastframe/shared/redis/redis-info';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';

/**
 * How full the frames Redis is, or a separate queue Redis. The script that stores a frame checks
 * for itself; this saves calls whose frames would not be stored, and informs operators.
 */
export interface RedisMemory {
  /** Returns the memory share that the fullest server uses; undefined if none has a limit. */
  usedShare(): number | undefined;
  /** Returns whether first frames of unnamed cameras are rejected. */
  isFull(): boolean;
  /** Returns why new cameras are rejected; undefined if they are not. */
  whyNewRejected(): string | undefined;
  /** Returns why larger frames of any camera are rejected; undefined if they are not. */
  whyLargerRejected(): string | undefined;
  /** Checks once; a worker does so every second. */
  poll(): Promise<void>;
}

const DEADLINE_MS = 1000;
const ADVICE = 'raise maxmemory, or lower UNNAMED_STALE_FOR or maxCameras';

/** @param links one to each server that keeps frames */
export function createRedisMemory(
  links: () => Iterable<Pick<RedisLink, 'isReady' | 'run'>>,
  log: Pick<Log, 'info' | 'warn'>,
): RedisMemory {
  let share: number | undefined;
  let wasFull = false;
  const isAbove = (limit: number) => share !== undefined && share > limit;
  const percent = () => `${Math.round(100 * (share ?? 0))} %`;
  const logChange = (isFull: boolean) => {
    if (isFull === wasFull) return;
    wasFull = isFull;
    if (isFull)
      log.warn(
        { used: percent(), advice: ADVICE },
        'new cameras rejected: Redis is short of memory',
      );
    else log.info({ used: percent() }, 'new cameras accepted again: Redis has room');
  };
  const whyNewRejected = () =>
    isAbove(NEW_CAMERAS_LIMIT)
      ? `Redis uses ${percent()} of its memory, and cameras that are not in SOURCES_FILE get no first frame: ${ADVICE}`
      : undefined;
  return {
    usedShare: () => share,
    isFull: () => isAbove(NEW_CAMERAS_LIMIT),
    whyNewRejected,
    whyLargerRejected: () =>
      isAbove(NAMED_LIMIT)
        ? `Redis uses ${percent()} of its memory, and frames can no longer grow: raise maxmemory, or lower STALE_FOR`
        : undefined,
    poll: async () => {
      const ready = [...new Set(links())].filter(({ isReady }) => isReady);
      const shares = await Promise.all(
        ready.map(async (link) =>
          usedShareOf(await link.run(DEADLINE_MS, (client) => client.info('memory'))),
        ),
      );
      const bounded = shares.filter((one) => one !== undefined);
      share = bounded.length > 0 ? Math.max(...bounded) : undefined;
      logChange(isAbove(NEW_CAMERAS_LIMIT));
    },
  };
}

/** Returns undefined for a Redis that has no limit, or evicts: it always has room. */
export function usedShareOf(info: string): number | undefined {
  const maxBytes = Number(infoField(info, 'maxmemory') ?? 0);
  if (maxBytes === 0 || infoField(info, 'maxmemory_policy') !== 'noeviction') return undefined;
  const uncountedBytes = Number(infoField(info, 'mem_not_counted_for_evict') ?? 0);
  return (Number(infoField(info, 'used_memory') ?? 0) - uncountedBytes) / maxBytes;
}
