/** Every attack; `ATTACKS` selects some of them. */
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

/** @throws Error that lists the known names */
export function parseAttackNames(text: string | undefined): readonly string[] {
  if (!text) return attackNames;
  const names = text.split(',');
  const unknown = names.filter((name) => !attackNames.some((known) => known === name));
  if (unknown.length === 0) return names;
  throw new Error(`unknown ATTACKS: ${unknown.join(', ')}; choose from ${attackNames.join(', ')}`);
}
