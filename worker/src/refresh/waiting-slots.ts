/** Returns a function that reserves one of `max` slots; it returns undefined when none is free. */
export function createWaitingSlots(max: number): () => { release: () => void } | undefined {
  let taken = 0;
  return () => {
    if (taken >= max) return undefined;
    taken += 1;
    return {
      release: () => {
        taken -= 1;
      },
    };
  };
}
