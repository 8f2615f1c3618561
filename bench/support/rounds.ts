import type { BenchContext } from './figure.ts';

/** Name → what a round with this contender gives. */
type Contenders<R> = Readonly<Record<string, () => Promise<R>>>;

export interface RoundsOptions {
  label: string;
  rounds: number;
  context: BenchContext;
}

/**
 * Rounds in which every contender has its turn, so that what else the machine does falls on all of
 * them; each round begins with another one. A first round warms up and doesn't count (a quick run
 * leaves it out). Gives the rounds in order, so that ratios can be taken within each.
 */
export async function pairedRounds<R>(
  contenders: Contenders<R>,
  { label, rounds, context }: RoundsOptions,
): Promise<Record<string, R>[]> {
  const names = Object.keys(contenders);
  const results: Record<string, R>[] = [];
  for (let round = context.quick ? 1 : 0; round <= rounds; round += 1) {
    const result: Record<string, R> = {};
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] ?? '';
      context.say(`${label}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}, ${name}`);
      const run = contenders[name];
      if (run) result[name] = await run();
    }
    if (round > 0) results.push(result);
  }
  return results;
}
