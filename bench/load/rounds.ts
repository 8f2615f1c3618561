import type { BenchContext } from '../figures/figure.ts';

/** Name → a function that runs one round and returns its result. */
type Contenders<R> = Readonly<Record<string, () => Promise<R>>>;

export interface RoundsOptions {
  label: string;
  rounds: number;
  context: BenchContext;
}

/**
 * Runs every contender once per round, in rotating order, so that other load on the machine affects
 * all of them. The first round is a warm-up and does not count; a quick run omits it. Returns the
 * rounds in order, so that ratios can be taken within each.
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
      context.showProgress(
        `${label}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}, ${name}`,
      );
      const run = contenders[name];
      if (run) result[name] = await run();
    }
    if (round > 0) results.push(result);
  }
  return results;
}
