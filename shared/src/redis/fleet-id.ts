import { randomBytes } from 'node:crypto';
import type { RedisLink } from './redis-link.ts';

/**
 * What a fleet calls itself in `Via` (RFC 9110 7.6.3), so that a call which comes back to the fleet
 * that sent it is known for a loop.
 *
 * It is a random number kept in the queue Redis, because that is what makes processes one fleet.
 * A hash of the configuration would not do: two fleets that are chained may both say
 * `redis://redis:6379` and `lastframe`, and the second would refuse the first; and one fleet may
 * know its Redis by two names. Nobody waits for the number: as long as Redis has not been reached
 * there is no permit, so no call that could come back.
 */
export interface FleetId {
  /** As in `Via: 1.1 lastframe-<id>`; undefined while unknown. */
  pseudonym(): string | undefined;
  poll(): Promise<void>;
}

const DEADLINE_MS = 1000;

export function createFleetId(redis: Pick<RedisLink, 'run'>, key: string): FleetId {
  const own = randomBytes(6).toString('hex');
  let known: string | undefined;
  return {
    pseudonym: () => known && `lastframe-${known}`,
    poll: async () => {
      try {
        // Who knows it puts it back when Redis has lost it, so that it outlasts a FLUSHALL.
        const found = await redis.run(DEADLINE_MS, async (client) => {
          const there = await client.get(key);
          if (there !== null) return there;
          await client.set(key, known ?? own, { condition: 'NX' });
          return await client.get(key);
        });
        if (found && /^[0-9a-f]{12}$/.test(found)) known = found;
      } catch {
        // What is known stays so.
      }
    },
  };
}
