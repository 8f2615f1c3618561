import type { RedisServer } from '../../testing/redis/redis-server.ts';

/** Running totals by name; `difference` of two gives the usage between them. */
export type Counts = Record<string, number>;

export function difference(later: Counts, earlier: Counts): Counts {
  return Object.fromEntries(
    Object.entries(later)
      .map(([name, value]) => [name, value - (earlier[name] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );
}

/** Returns the calls of each command so far. Commands inside scripts count too. */
export async function commandCounts(redis: RedisServer): Promise<Counts> {
  const info = String(await redis.command('INFO', 'commandstats'));
  return Object.fromEntries(
    [...info.matchAll(/^cmdstat_([\w|-]+):calls=(\d+)/gm)].map(([, name, calls]) => [
      String(name),
      Number(calls),
    ]),
  );
}

/** Returns the bytes in and out so far, and the memory used now. */
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
