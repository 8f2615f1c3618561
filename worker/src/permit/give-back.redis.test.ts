import type { Camera } from '@lastframe/shared/cameras/camera';
import { expect, it } from 'vitest';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench, ownRedis, ready } from '../test-support/permit-bench.ts';
import { granted, wordOf } from '../test-support/permit-word.ts';

/** Of a life that a test can't wait for, and an allowance that a frozen Redis soon exceeds. */
const camera = () => testCamera(undefined, testSource({ startAllowanceMs: 400 }));

/** The same camera where Redis answers: a slow machine must not make its grant a late one. */
const patiently = ({ source, ...rest }: Camera): Camera => ({
  ...rest,
  source: { ...source, startAllowanceMs: 4000 },
});

it('L3: a grant that a frozen Redis gives too late is given back', async () => {
  const server = await ownRedis();
  const { permits, client, keys } = await openBench(server.url, { pingDeadlineMs: 60_000 });
  const late = camera();
  server.signal('SIGSTOP');
  const taken = await permits.take(late);
  expect(wordOf(taken)).toContain('unknown');
  // Redis runs what waits for it in order: behind this PING the permit is there.
  const thawed = client.ping();
  server.signal('SIGCONT');
  await thawed;
  await expect.poll(() => client.exists(keys.permit(late.cameraId))).toBe(0);
  await expect.poll(() => client.zCard(keys.calls(late.source.name))).toBe(0);
  granted(await permits.take(patiently(late)));
});

it('L3: so is one whose reply was lost with the connection, though Redis ran it later', async () => {
  const server = await ownRedis();
  const { permits, link, client, keys } = await openBench(server.url, { pingDeadlineMs: 1000 });
  // Redis knows the script now: its first run takes two commands.
  granted(await permits.take(testCamera()));
  const late = camera();
  server.signal('SIGSTOP');
  expect(wordOf(await permits.take(late))).toContain('unknown');
  // Its PING without an answer makes the link drop the connection, and the reply with it.
  await expect.poll(() => link.isReady, { timeout: 10_000 }).toBe(false);
  server.signal('SIGCONT');
  await ready(link);
  // The second grant happened, though nobody was told.
  await expect.poll(() => server.command('INFO', 'commandstats')).toContain('cmdstat_zadd:calls=2');
  await expect
    .poll(() => client.exists(keys.permit(late.cameraId)).catch(() => -1), { timeout: 8000 })
    .toBe(0);
  granted(await permits.take(patiently(late)));
});
