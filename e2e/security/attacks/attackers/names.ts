/** Every attack; `ATTACKS` chooses some of them. */
export const attackNames = [
  'servers-that-speak-first',
  'made-up-cameras',
  'long-headers',
  'many-slashes',
  'digest-challenges',
  'slow-readers',
  'malformed-records',
  'escaped-paths',
  'odd-requests',
  'slow-heads',
  'hostile-bodies',
  'stream-exhaustion',
] as const;

/** @throws Error that lists the names that exist */
export function chosenAttacks(text: string | undefined): readonly string[] {
  if (!text) return attackNames;
  const chosen = text.split(',');
  const unknown = chosen.filter((name) => !attackNames.some((known) => known === name));
  if (unknown.length === 0) return chosen;
  throw new Error(`ATTACKS has ${unknown.join(', ')}; choose of ${attackNames.join(', ')}`);
}
