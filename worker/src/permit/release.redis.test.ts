import type { Camera } from '@lastframe/shared/cameras/camera';
import { expect, it } from 'vitest';
import { ownRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench } from '../test-support/permit-bench.ts';
import { expectGranted, wordOf } from '../test-support/permit-word.ts';

/** A camera whose permit outlasts the test; a frozen Redis soon exceeds its allowance. */
const camera = () => testCamera(undefined, testSource({ startAllowanceMs: 400 }));

/** The same camera, with an allowance that a slow machine does not exceed. */
const withLongAllowance = ({ source, ...rest }: Camera): Camera => ({
  ...rest,
  source: { ...source, startAllowanceMs: 4000 },
});

it('L3: a grant that a frozen Redis sends too late is released', async () => {
  const server = await ownRedis();
  const { permits, client, keys } = await openBench(server.url, { pingDeadlineMs: 60_000 });
  const late = camera();
  server.signal('SIGSTOP');
  const result = await permits.take(late);
  expect(wordOf(result)).toContain('unknown');
  // Redis runs waiting commands in order: after this PING the permit exists.
  const thawed = client.ping();
  server.signal('SIGCONT');
  await thawed;
  await expect.poll(() => client.exists(keys.permit(late.cameraId))).toBe(0);
  await expect.poll(() => client.zCard(keys.calls(late.source.name))).toBe(0);
  expectGranted(await permits.take(withLongAllowance(late)));
});

it('L3: so is a grant whose reply was lost with the connection, even if Redis ran it later', async () => {
  const server = await ownRedis();
  const { permits, link, client, keys } = await openBench(server.url, { pingDeadlineMs: 1000 });
  // Loads the script: its first run takes two commands.
  expectGranted(await permits.take(testCamera()));
  const late = camera();
  server.signal('SIGSTOP');
  expect(wordOf(await permits.take(late))).toContain('unknown');
  // An unanswered PING makes the link drop the connection, and the reply with it.
  await expect.poll(() => link.isReady, { timeout: 10_000 }).toBe(false);
  server.signal('SIGCONT');
  await link.ready(10_000);
  // The second grant happened, though its reply was lost.
  await expect.poll(() => server.command('INFO', 'commandstats')).toContain('cmdstat_zadd:calls=2');
  await expect
    .poll(() => client.exists(keys.permit(late.cameraId)).catch(() => -1), { timeout: 8000 })
    .toBe(0);
  expectGranted(await permits.take(withLongAllowance(late)));
});
