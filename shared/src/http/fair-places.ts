/**
 * A number of places that clients share. Whoever holds more than are left gets no more of them: one
 * client can take half of all, the next one half of the rest, and so on.
 */
export interface FairPlaces {
  /** Whether nobody, or only this client, may take as many; undefined when it may. */
  fullFor(client: string, places?: number): 'all' | 'client' | undefined;
  /** Takes them, whether it may or not. @returns a function that gives them back, once */
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
    fullFor: (client, places = 1) => {
      const left = max - taken - places;
      if (left < 0) return 'all';
      const held = (byClient.get(client) ?? 0) + places;
      // Two more, so that of two or three places the last one can be had.
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
