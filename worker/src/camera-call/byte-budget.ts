import type { Camera } from '@lastframe/shared/cameras/camera';

/** The bytes of bodies and frames that a worker may hold at once, over all its calls. */
export interface ByteBudget {
  /**
   * Opens the share of one call. Calls of one group, such as all the cameras of a source, compete
   * with each other first. `evict` is called at most once, when the share has to make room; it has
   * been released by then.
   */
  open(group: string, evict: () => void): ByteShare;
}

export interface ByteShare {
  /** False when there is no room for so many more; what was taken before stays taken. */
  take(bytes: number): boolean;
  /** The body is complete: from now on it makes room for nobody, and its bytes count until `release`. */
  keep(): void;
  /** Gives everything back; may be called again. */
  release(): void;
}

interface Holding {
  group: string;
  bytes: number;
  evict: () => void;
}

/** Larger bodies leave a quarter of the budget to those that are not. */
const LARGE_BYTES = 1024 ** 2;
const FOR_LARGE = 3 / 4;

/** Anybody can make up the URLs of a source's cameras; a named camera is the operator's own. */
export function budgetGroupOf({ name, source }: Camera): string {
  return name === undefined ? `source ${source.name}` : `camera ${name}`;
}

/**
 * When the budget is spent, the largest body of the group that holds most makes room, which may be
 * the body that asks. So a small body always finds room, however many large or slow ones there are,
 * and a flood of made-up cameras costs their own source first.
 */
export function createByteBudget(limitBytes: number): ByteBudget {
  /** Those that can still be evicted. */
  const holdings = new Set<Holding>();
  let takenBytes = 0;
  const drop = (holding: Holding) => {
    holdings.delete(holding);
    takenBytes -= holding.bytes;
    holding.bytes = 0;
  };
  const makeRoom = (asking: Holding, bytes: number): boolean => {
    const isLarge = asking.bytes + bytes > LARGE_BYTES;
    const mostBytes = isLarge ? FOR_LARGE * limitBytes : limitBytes;
    while (takenBytes + bytes > mostBytes) {
      const largest = largestHolding(holdings, asking, bytes);
      if (largest === asking) return false;
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
        take: (bytes) => {
          if (!holdings.has(holding) || !makeRoom(holding, bytes)) return false;
          holding.bytes += bytes;
          takenBytes += bytes;
          return true;
        },
        keep: () => holdings.delete(holding),
        release: () => drop(holding),
      };
    },
  };
}

/** The largest of the group that holds most, once the one that asks has what it asks for. */
function largestHolding(holdings: Set<Holding>, asking: Holding, askedBytes: number): Holding {
  const bytesOf = (holding: Holding) => holding.bytes + (holding === asking ? askedBytes : 0);
  const byGroup = new Map<string, number>();
  for (const holding of holdings) {
    byGroup.set(holding.group, (byGroup.get(holding.group) ?? 0) + bytesOf(holding));
  }
  const mostBytes = Math.max(...byGroup.values());
  let largest = asking;
  for (const holding of holdings) {
    const isOfLargestGroup = byGroup.get(holding.group) === mostBytes;
    const isLarger =
      byGroup.get(largest.group) !== mostBytes || bytesOf(holding) > bytesOf(largest);
    if (isOfLargestGroup && isLarger) largest = holding;
  }
  return largest;
}
