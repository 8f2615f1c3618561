/**
 * A number of places that clients share. A client that holds more than are left gets no more: one
 * client can take half of them, the next half of what is left, and so on.
 */
export interface FairPlaces {
  /** Returns `all` if too few are left, `client` if this client has its share, else `undefined`. */
  limitReached(client: string, places?: number): 'all' | 'client' | undefined;
  /** Takes places without checking the limits. @returns a function that releases them, once */
  take(client: string, places?: number): () => void;
  taken(): number;
}

export function createFairPlaces(max: number): FairPlaces {
  const byClient = new Map<string, number>();
  let taken = 0;
  const add = (client: string, places: number) => {
    taken += places;
    const held = (byClient.get(client) ?? 0) + places;
    if (held > 0) byClient.set(client, held);
    else byClient.delete(client);
  };
  return {
    limitReached: (client, places = 1) => {
      const left = max - taken - places;
      if (left < 0) return 'all';
      const held = (byClient.get(client) ?? 0) + places;
      // Plus two, so that one client can take the last of two or three places.
      return held > left + 2 ? 'client' : undefined;
    },
    take: (client, places = 1) => {
      add(client, places);
      let isHeld = true;
      return () => {
        if (isHeld) add(client, -places);
        isHeld = false;
      };
    },
    taken: () => taken,
  };
}
