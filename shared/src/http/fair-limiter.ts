/**
 * A number of slots that clients share. A client that holds more than are left gets no more: one
 * client can take half of them, the next half of what is left, and so on.
 */
export interface FairLimiter {
  /** Returns `all` if too few are left, `client` if this client has its share, else `undefined`. */
  limitReached(client: string, slots?: number): 'all' | 'client' | undefined;
  /** Takes slots without checking the limits. @returns a function that releases them, once */
  take(client: string, slots?: number): () => void;
  taken(): number;
}

export function createFairLimiter(max: number): FairLimiter {
  const byClient = new Map<string, number>();
  let taken = 0;
  const add = (client: string, slots: number) => {
    taken += slots;
    const held = (byClient.get(client) ?? 0) + slots;
    if (held > 0) byClient.set(client, held);
    else byClient.delete(client);
  };
  return {
    limitReached: (client, slots = 1) => {
      const left = max - taken - slots;
      if (left < 0) return 'all';
      const held = (byClient.get(client) ?? 0) + slots;
      // Plus two, so that one client can take the last of two or three slots.
      return held > left + 2 ? 'client' : undefined;
    },
    take: (client, slots = 1) => {
      add(client, slots);
      let isHeld = true;
      return () => {
        if (isHeld) add(client, -slots);
        isHeld = false;
      };
    },
    taken: () => taken,
  };
}
