/** The bytes of bodies that a worker may hold at once, over all its calls. */
export interface ByteBudget {
  /** False when there is no room for so many more. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
}

export function createByteBudget(limitBytes: number): ByteBudget {
  let takenBytes = 0;
  return {
    take: (bytes) => {
      if (takenBytes + bytes > limitBytes) return false;
      takenBytes += bytes;
      return true;
    },
    giveBack: (bytes) => {
      takenBytes -= bytes;
    },
  };
}
