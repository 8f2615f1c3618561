import { expect, it } from 'vitest';
import { ownRedis } from '../../../../testing/redis/test-redis.ts';
import { SHARDS, slotOf } from './shard.ts';

it('computes the slot of every shard as Redis does', async () => {
  const server = await ownRedis('--cluster-enabled', 'yes');
  const redisSlots = await Promise.all(
    SHARDS.map((shard) => server.command('CLUSTER', 'KEYSLOT', `p:frame:{${shard}}:x`)),
  );
  expect(SHARDS.map(slotOf)).toEqual(redisSlots);
});
