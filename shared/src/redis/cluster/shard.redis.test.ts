import { expect, it } from 'vitest';
import { ownRedis } from '../../../../testing/test-redis.ts';
import { SHARDS, slotOf } from './shard.ts';

it('knows the slot of every shard as Redis does', async () => {
  const server = await ownRedis('--cluster-enabled', 'yes');
  const told = await Promise.all(
    SHARDS.map((shard) => server.command('CLUSTER', 'KEYSLOT', `p:frame:{${shard}}:x`)),
  );
  expect(SHARDS.map(slotOf)).toEqual(told);
});
