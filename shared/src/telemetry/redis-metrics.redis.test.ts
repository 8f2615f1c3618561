import { expect, it } from 'vitest';
import { ownRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { createMetrics, createRedisMetrics } from './metrics.ts';

it('a connection is shown as up or down, and each reconnect is counted', async () => {
  const server = await ownRedis();
  const metrics = createMetrics('api');
  const { exposeLinks: show, countReconnect } = createRedisMetrics(metrics);
  const link = testLink(server.url, { onReconnect: () => countReconnect('frames') });
  show({ frames: link });
  const series = async (name: string) => {
    const lines = (await metrics.text()).split('\n');
    const found = lines.find((line) => line.startsWith(`${name}{connection="frames"} `));
    return Number(found?.split(' ').at(-1));
  };
  await link.ready(10_000);
  expect(await series('lastframe_redis_connected')).toBe(1);
  expect(await series('lastframe_redis_reconnects_total')).toBe(0);
  await server.kill();
  await expect.poll(() => series('lastframe_redis_connected'), { timeout: 10_000 }).toBe(0);
  await server.start();
  await expect.poll(() => series('lastframe_redis_connected'), { timeout: 10_000 }).toBe(1);
  expect(await series('lastframe_redis_reconnects_total')).toBe(1);
});
