import { expect, it } from 'vitest';
import { sharedRedis } from '../../../testing/redis/test-redis.ts';
import { createFleetId } from './fleet-id.ts';

it('is the same for all processes that share a Redis and a prefix, and different elsewhere', async () => {
  const { link, keys } = await sharedRedis();
  const fleet = [createFleetId(link, keys.fleet), createFleetId(link, keys.fleet)] as const;
  const stranger = createFleetId(link, `${keys.fleet}-of-another`);
  await Promise.all([...fleet, stranger].map((one) => one.poll()));
  expect(fleet[0].pseudonym()).toMatch(/^lastframe-[0-9a-f]{12}$/);
  expect(fleet[1].pseudonym()).toBe(fleet[0].pseudonym());
  expect(stranger.pseudonym()).not.toBe(fleet[0].pseudonym());
});

it('survives the loss of all data, and a Redis outage', async () => {
  const { link, keys } = await sharedRedis();
  const [one, newcomer] = [createFleetId(link, keys.fleet), createFleetId(link, keys.fleet)];
  await one.poll();
  const before = one.pseudonym();
  await link.client.del(keys.fleet);
  await one.poll();
  await newcomer.poll();
  expect([one.pseudonym(), newcomer.pseudonym()]).toEqual([before, before]);
});

it('is unknown, without an error, while Redis is unreachable or holds an invalid id', async () => {
  const { link, keys } = await sharedRedis();
  const away = createFleetId({ run: () => Promise.reject(new Error('away')) }, keys.fleet);
  await away.poll();
  expect(away.pseudonym()).toBeUndefined();
  await link.client.set(keys.fleet, 'x\r\nEvil: header');
  const misled = createFleetId(link, keys.fleet);
  await misled.poll();
  expect(misled.pseudonym()).toBeUndefined();
});
