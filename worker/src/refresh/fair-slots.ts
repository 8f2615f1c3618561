/**
 * Shares this worker's calls in flight among sources: a slow source with many cameras would
 * otherwise take every slot at once, and the others would wait until its calls end. A source may
 * have `GREED` times as many calls as there are slots free, so some always are. The first calls of
 * new cameras, whose number anybody can raise, may have half of all slots.
 */
export interface FairSlots {
  /** Returns a function that frees the slot; undefined if the source has its share. */
  enter(source: string, isFirst: boolean): (() => void) | undefined;
}

/** Alone, a source gets 9 of 10 slots; two get 9 of 19 each. */
const GREED = 9;

export function createFairSlots(slots: number): FairSlots {
  const bySource = new Map<string, number>();
  let taken = 0;
  let takenByFirst = 0;
  return {
    enter: (source, isFirst) => {
      const own = bySource.get(source) ?? 0;
      if (own >= Math.max(1, GREED * (slots - taken))) return undefined;
      if (isFirst && takenByFirst >= Math.max(1, slots / 2)) return undefined;
      bySource.set(source, own + 1);
      taken += 1;
      if (isFirst) takenByFirst += 1;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        taken -= 1;
        if (isFirst) takenByFirst -= 1;
        const left = (bySource.get(source) ?? 1) - 1;
        if (left > 0) bySource.set(source, left);
        else bySource.delete(source);
      };
    },
  };
}
