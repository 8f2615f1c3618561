import type { RedisServer } from '../../testing/redis-server.ts';

/** Numbers by name, so that what was used in a while is the difference of two. */
export type Counts = Record<string, number>;

export function difference(later: Counts, earlier: Counts): Counts {
  return Object.fromEntries(
    Object.entries(later)
      .map(([name, value]) => [name, value - (earlier[name] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );
}

/** Calls by command so far. Commands inside scripts count too. */
export async function commandCounts(redis: RedisServer): Promise<Counts> {
  const info = String(await redis.command('INFO', 'commandstats'));
  return Object.fromEntries(
    [...info.matchAll(/^cmdstat_([\w|-]+):calls=(\d+)/gm)].map(([, name, calls]) => [
      String(name),
      Number(calls),
    ]),
  );
}

/** Bytes that came in and went out so far, and its memory now. */
export async function trafficOf(redis: RedisServer): Promise<Counts> {
  const info = String(await redis.command('INFO', 'everything'));
  const numberOf = (name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return {
    inBytes: numberOf('total_net_input_bytes'),
    outBytes: numberOf('total_net_output_bytes'),
    usedBytes: numberOf('used_memory'),
  };
}
