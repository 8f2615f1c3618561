import { randomBytes } from 'node:crypto';
import type { RedisLink } from './redis-link.ts';

/**
 * The name of a fleet in `Via` (RFC 9110 7.6.3), by which a call that comes back to the fleet that
 * sent it is recognised as a loop.
 *
 * It is a random number in the queue Redis, because sharing that is what makes processes one fleet.
 * A hash of the configuration would not do: two chained fleets may both be configured with
 * `redis://redis:6379` and `lastframe`, and the second would reject the first; and one fleet may
 * know its Redis by two names. Nothing waits for the number: until Redis has been reached there is
 * no permit, so no call that could come back.
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
        // A process that knows the id restores it if Redis lost it, so that it survives a FLUSHALL.
        const found = await redis.run(DEADLINE_MS, async (client) => {
          const there = await client.get(key);
          if (there !== null) return there;
          await client.set(key, known ?? own, { condition: 'NX' });
          return await client.get(key);
        });
        if (found && /^[0-9a-f]{12}$/.test(found)) known = found;
      } catch {
        // Keep the known id.
      }
    },
  };
}
