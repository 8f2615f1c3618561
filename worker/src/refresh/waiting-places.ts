/** At most `most` at a time; undefined when no place is free. */
export function createWaitingPlaces(most: number): () => { release: () => void } | undefined {
  let taken = 0;
  return () => {
    if (taken >= most) return undefined;
    taken += 1;
    return {
      release: () => {
        taken -= 1;
      },
    };
  };
}
