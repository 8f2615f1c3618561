import { NAMED_LIMIT, NEW_CAMERAS_LIMIT } from '@lastframe/shared/frames/frame-limits';
import type { Log } from '@lastframe/shared/process/log';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { fieldOf } from '../permit/redis-fitness.ts';

/**
 * How full the frames Redis is. The script that stores a frame measures for itself; this spares
 * calls whose frames would not be stored, and tells operators.
 */
export interface FramesMemory {
  /** The greatest share of its memory that a server uses; undefined where there is no bound. */
  usedShare(): number | undefined;
  /** First frames of unnamed cameras are refused. */
  isFull(): boolean;
  /** Why new cameras are refused; undefined when they aren't. */
  refusesNewBecause(): string | undefined;
  /** Why larger frames, of whatever camera, are refused. */
  refusesAllBecause(): string | undefined;
  /** One look: every second in a worker. */
  poll(): Promise<void>;
}

const DEADLINE_MS = 1000;
const ADVICE = 'raise maxmemory, or lower UNNAMED_STALE_FOR or maxCameras';

/** @param links to each server that keeps frames */
export function createFramesMemory(
  links: () => Iterable<Pick<RedisLink, 'isReady' | 'run'>>,
  log: Pick<Log, 'info' | 'warn'>,
): FramesMemory {
  let share: number | undefined;
  let told = false;
  const isAbove = (limit: number) => share !== undefined && share > limit;
  const percent = () => `${Math.round(100 * (share ?? 0))} %`;
  const tell = (isFull: boolean) => {
    if (isFull === told) return;
    told = isFull;
    if (isFull) log.warn({ used: percent(), advice: ADVICE }, 'new cameras refused: Redis is full');
    else log.info({ used: percent() }, 'new cameras admitted again: Redis has room');
  };
  const refusesNewBecause = () =>
    isAbove(NEW_CAMERAS_LIMIT)
      ? `Redis uses ${percent()} of its memory, and cameras that are not in SOURCES_FILE get no first frame: ${ADVICE}`
      : undefined;
  return {
    usedShare: () => share,
    isFull: () => isAbove(NEW_CAMERAS_LIMIT),
    refusesNewBecause,
    refusesAllBecause: () =>
      isAbove(NAMED_LIMIT)
        ? `Redis uses ${percent()} of its memory, and no frame may become larger: raise maxmemory, or lower STALE_FOR`
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
      tell(isAbove(NEW_CAMERAS_LIMIT));
    },
  };
}

/** Undefined for a Redis that has no bound, or evicts: there is always room. */
export function usedShareOf(info: string): number | undefined {
  const most = Number(fieldOf(info, 'maxmemory') ?? 0);
  if (most === 0 || fieldOf(info, 'maxmemory_policy') !== 'noeviction') return undefined;
  const apart = Number(fieldOf(info, 'mem_not_counted_for_evict') ?? 0);
  return (Number(fieldOf(info, 'used_memory') ?? 0) - apart) / most;
}
