import { encodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
import { ownRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { testCamera } from '../../../testing/test-camera.ts';
import { silentLog } from '../test-support/parts.ts';
import { subscribeToAnnouncements } from './subscribe.ts';

const CHANNEL = 'p:announcements';
const RECOVERY = { timeout: 10_000, interval: 50 };
/** Keeps a slow response from dropping the connection, which would add a gap. */
const PATIENT = { pingDeadlineMs: 10_000 };
const { cameraId } = testCamera('a');
const started = encodeAnnouncement({ kind: 'started', cameraId });

async function listenerParts({ startsAway = false, pingDeadlineMs = PATIENT.pingDeadlineMs } = {}) {
  const server = await ownRedis();
  if (startsAway) await server.kill();
  const link = testLink(server.url, { pingDeadlineMs });
  const listener = vi.fn();
  const onGap = vi.fn();
  if (!startsAway) await link.ready(10_000);
  subscribeToAnnouncements(
    link,
    { publish: 'PUBLISH', channels: [CHANNEL] },
    listener,
    onGap,
    silentLog,
  );
  const gaps = (count: number) =>
    vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(count), RECOVERY);
  const publish = (text: string) => server.command('PUBLISH', CHANNEL, text);
  return { server, link, listener, onGap, gaps, publish };
}

it('receives every announcement once, starting when it reports the gap', async () => {
  const { listener, gaps, publish } = await listenerParts();
  await gaps(1);
  expect(await publish(started)).toBe(1);
  await vi.waitFor(
    () => expect(listener).toHaveBeenCalledExactlyOnceWith({ v: 1, kind: 'started', cameraId }),
    RECOVERY,
  );
});

it('skips a malformed announcement and receives the next', async () => {
  const { listener, gaps, publish } = await listenerParts();
  await gaps(1);
  await publish('garbage');
  await publish(encodeAnnouncement({ kind: 'started', cameraId }).replace('started', 'moved'));
  await publish(started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
});

it('reports a gap after each lost connection, and receives announcements again', async () => {
  const { server, listener, gaps, publish } = await listenerParts();
  await gaps(1);
  for (const count of [2, 3]) {
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await gaps(count);
    expect(await publish(started)).toBe(1);
    await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(count - 1), RECOVERY);
  }
});

it('reports a gap after Redis restarts', async () => {
  const { server, listener, gaps, publish } = await listenerParts();
  await gaps(1);
  await server.kill();
  await server.start();
  await gaps(2);
  await publish(started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
});

it('reports a gap when a frozen Redis resumes', async () => {
  const { server, link, listener, gaps, publish } = await listenerParts({ pingDeadlineMs: 1000 });
  await gaps(1);
  server.signal('SIGSTOP');
  await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
  server.signal('SIGCONT');
  await gaps(2);
  await publish(started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
});

it('subscribes as soon as Redis is up if it was down on startup', async () => {
  const { server, onGap, listener, gaps, publish } = await listenerParts({ startsAway: true });
  expect(onGap).not.toHaveBeenCalled();
  await server.start();
  await gaps(1);
  await publish(started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
});

it('retries a rejected channel, and receives from the others meanwhile', async () => {
  const server = await ownRedis();
  await server.command('ACL', 'SETUSER', 'default', 'resetchannels', `&${CHANNEL}`);
  const link = testLink(server.url, PATIENT);
  await link.ready(10_000);
  const onGap = vi.fn();
  const listener = vi.fn();
  const channels = [CHANNEL, 'p:other'];
  subscribeToAnnouncements(link, { publish: 'SPUBLISH', channels }, listener, onGap, silentLog);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledOnce(), RECOVERY);
  await server.command('SPUBLISH', CHANNEL, started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
  await server.command('ACL', 'SETUSER', 'default', 'allchannels');
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(2), RECOVERY);
  expect(await server.command('SPUBLISH', 'p:other', started)).toBe(1);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(2), RECOVERY);
});

it('resubscribes when a Cluster node loses the slot of a channel and gets it back', async () => {
  const server = await ownRedis('--cluster-enabled', 'yes');
  await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await vi.waitFor(
    async () => expect(await server.command('CLUSTER', 'INFO')).toContain('cluster_state:ok'),
    RECOVERY,
  );
  const link = testLink(server.url, PATIENT);
  await link.ready(10_000);
  const onGap = vi.fn();
  const listener = vi.fn();
  const subscription = { publish: 'SPUBLISH', channels: [CHANNEL, 'p:other'] } as const;
  subscribeToAnnouncements(link, subscription, listener, onGap, silentLog);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledOnce(), RECOVERY);
  const slot = String(await server.command('CLUSTER', 'KEYSLOT', CHANNEL));
  await server.command('CLUSTER', 'DELSLOTS', slot);
  await server.command('CLUSTER', 'ADDSLOTS', slot);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(2), RECOVERY);
  expect(await server.command('SPUBLISH', CHANNEL, started)).toBe(1);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce(), RECOVERY);
});

it('receives the next announcement after one whose handler throws', async () => {
  const uncaught = catchUncaught();
  const { listener, gaps, publish } = await listenerParts();
  await gaps(1);
  listener.mockImplementationOnce(() => {
    throw new Error('broken');
  });
  await publish(started);
  await publish(started);
  await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(2), RECOVERY);
  // On the same connection.
  expect(uncaught).toEqual([new Error('broken')]);
  await gaps(1);
});
