import type { Camera } from '@lastframe/shared/cameras/camera';

/** The bytes of bodies and frames that a worker may hold at once, across all its calls. */
export interface ByteBudget {
  /**
   * Opens the share of one call. Calls of one group, such as all the cameras of a source, compete
   * with each other first. `evict` is called at most once, when the share has been released to make
   * room.
   */
  open(group: string, evict: () => void): ByteShare;
}

export interface ByteShare {
  /** Reserves bytes. Returns false if there is no room; earlier bytes stay reserved. */
  reserve(bytes: number): boolean;
  /** Marks the body complete: it cannot be evicted, and counts until `release`. */
  markComplete(): void;
  /** Releases all bytes; may be called again. */
  release(): void;
}

interface Holding {
  group: string;
  bytes: number;
  evict: () => void;
}

/** Larger bodies leave a quarter of the budget to smaller ones. */
const LARGE_BYTES = 1024 ** 2;
const LARGE_BODY_FRACTION = 3 / 4;

/** Groups cameras by source, whose URLs anybody can make up. A named camera has its own group. */
export function budgetGroupOf({ name, source }: Camera): string {
  return name === undefined ? `source ${source.name}` : `camera ${name}`;
}

/**
 * When the budget is spent, evicts the largest body of the group that holds the most, which may be
 * the body that needs room. So a small body always finds room among large or slow ones, and a flood
 * of made-up cameras costs its own source first.
 */
export function createByteBudget(limitBytes: number): ByteBudget {
  /** Those that can still be evicted. */
  const holdings = new Set<Holding>();
  let usedBytes = 0;
  const drop = (holding: Holding) => {
    holdings.delete(holding);
    usedBytes -= holding.bytes;
    holding.bytes = 0;
  };
  const makeRoom = (requester: Holding, bytes: number): boolean => {
    const isLarge = requester.bytes + bytes > LARGE_BYTES;
    const mostBytes = isLarge ? LARGE_BODY_FRACTION * limitBytes : limitBytes;
    while (usedBytes + bytes > mostBytes) {
      const largest = largestHolding(holdings, requester, bytes);
      if (largest === requester) return false;
      drop(largest);
      largest.evict();
    }
    return true;
  };
  return {
    open: (group, evict) => {
      const holding: Holding = { group, bytes: 0, evict };
      holdings.add(holding);
      return {
        reserve: (bytes) => {
          if (!holdings.has(holding) || !makeRoom(holding, bytes)) return false;
          holding.bytes += bytes;
          usedBytes += bytes;
          return true;
        },
        markComplete: () => holdings.delete(holding),
        release: () => drop(holding),
      };
    },
  };
}

/** Returns the largest body of the group that holds the most, counting the requested bytes. */
function largestHolding(holdings: Set<Holding>, requester: Holding, newBytes: number): Holding {
  const bytesOf = (holding: Holding) => holding.bytes + (holding === requester ? newBytes : 0);
  const byGroup = new Map<string, number>();
  for (const holding of holdings) {
    byGroup.set(holding.group, (byGroup.get(holding.group) ?? 0) + bytesOf(holding));
  }
  const mostBytes = Math.max(...byGroup.values());
  let largest = requester;
  for (const holding of holdings) {
    const isOfLargestGroup = byGroup.get(holding.group) === mostBytes;
    const isLarger =
      byGroup.get(largest.group) !== mostBytes || bytesOf(holding) > bytesOf(largest);
    if (isOfLargestGroup && isLarger) largest = holding;
  }
  return largest;
}
