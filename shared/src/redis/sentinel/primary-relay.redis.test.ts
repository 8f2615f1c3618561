import { expect, it, onTestFinished, vi } from 'vitest';
import { PRIMARY_NAME, startSentinels } from '../../../../testing/sentinels.ts';
import { ownRedis } from '../../../../testing/test-redis.ts';
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
    refuse: (fault) => expect.fail(fault),
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

it('a link leaves a primary that is none any more for the Sentinels, though it answers on', async () => {
  const { sentinels, second, port } = await rolesBehindSentinels();
  await sentinels.watchInstead(second.port);
  await vi.waitFor(async () => expect(await port()).toBe(second.port), RECOVERY);
});

it('a Sentinel that hangs and one that is dead do not keep a link from the primary', async () => {
  const { sentinels, first, port } = await rolesBehindSentinels();
  sentinels.signal(0, 'SIGSTOP');
  sentinels.signal(1, 'SIGKILL');
  await first.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await vi.waitFor(async () => expect(await port()).toBe(first.port), RECOVERY);
});
