import { expect, it, onTestFinished, vi } from 'vitest';
import { PRIMARY_NAME, startSentinels } from '../../../../testing/redis/sentinels.ts';
import { ownRedis } from '../../../../testing/redis/test-redis.ts';
import { createLog } from '../../process/log.ts';
import { openRedisRoles } from '../redis-roles.ts';

const RECOVERY = { timeout: 15_000, interval: 50 };

async function rolesBehindSentinels() {
  const [first, second] = await Promise.all([ownRedis(), ownRedis()]);
  const sentinels = await startSentinels(first, 0);
  onTestFinished(() => sentinels.stop());
  const url = `redis+sentinel://${sentinels.hosts}/${PRIMARY_NAME}`;
  const roles = openRedisRoles({
    config: { redisUrl: url, framesRedisUrl: url, redisTlsFiles: { ca: '', cert: '', key: '' } },
    log: createLog('test', 'silent'),
    onWrongKind: (fault) => expect.fail(fault),
  });
  const link = roles.queue('queue');
  onTestFinished(async () => {
    await link.close();
    await roles.close();
  });
  const port = async () => {
    const info = await link.run(1000, (client) => client.info('server'));
    return Number(/tcp_port:(\d+)/.exec(info)?.[1]);
  };
  await vi.waitFor(async () => expect(await port()).toBe(first.port), RECOVERY);
  return { sentinels, first, second, link, port };
}

it('a link leaves a primary that the Sentinels have replaced, although it still responds', async () => {
  const { sentinels, second, port } = await rolesBehindSentinels();
  await sentinels.watchInstead(second.port);
  await vi.waitFor(async () => expect(await port()).toBe(second.port), RECOVERY);
});

it('a link finds the primary despite one hanging and one dead Sentinel', async () => {
  const { sentinels, first, port } = await rolesBehindSentinels();
  sentinels.signal(0, 'SIGSTOP');
  sentinels.signal(1, 'SIGKILL');
  await first.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await vi.waitFor(async () => expect(await port()).toBe(first.port), RECOVERY);
});
