/** Reserves a slot. Returns a function that releases it; undefined when none is free. */
export type ReserveSlot = () => (() => void) | undefined;

export function createWaitingSlots(max: number): ReserveSlot {
  let taken = 0;
  return () => {
    if (taken >= max) return undefined;
    taken += 1;
    return () => {
      taken -= 1;
    };
  };
}
