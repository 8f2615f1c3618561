import { encodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { ownRedis, testLink } from '../../../testing/test-redis.ts';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { silentLog } from '../test-support/parts.ts';
import { subscribeToAnnouncements } from './subscribe.ts';

const CHANNEL = 'p:announcements';
const RECOVERY = { timeout: 10_000, interval: 50 };
/** A connection that is dropped because an answer is only slow would add a gap. */
const PATIENT = { pingDeadlineMs: 10_000 };
const { cameraId } = testCamera('a');
const started = encodeAnnouncement({ kind: 'started', cameraId });

async function listenerParts({ startsAway = false, pingDeadlineMs = PATIENT.pingDeadlineMs } = {}) {
  const server = await ownRedis();
  if (startsAway) await server.kill();
  const link = testLink(server.url, { pingDeadlineMs });
  const heed = vi.fn();
  const onGap = vi.fn();
  if (!startsAway) await link.ready(10_000);
  subscribeToAnnouncements(
    link,
    { publish: 'PUBLISH', channels: [CHANNEL] },
    heed,
    onGap,
    silentLog,
  );
  const gaps = (count: number) =>
    vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(count), RECOVERY);
  const publish = (text: string) => server.command('PUBLISH', CHANNEL, text);
  return { server, link, heed, onGap, gaps, publish };
}

it('hears every announcement once, from the moment on in which the gap is told', async () => {
  const { heed, gaps, publish } = await listenerParts();
  await gaps(1);
  expect(await publish(started)).toBe(1);
  await vi.waitFor(
    () => expect(heed).toHaveBeenCalledExactlyOnceWith({ v: 1, kind: 'started', cameraId }),
    RECOVERY,
  );
});

it('passes over what it can not read, and hears the next', async () => {
  const { heed, gaps, publish } = await listenerParts();
  await gaps(1);
  await publish('garbage');
  await publish(encodeAnnouncement({ kind: 'started', cameraId }).replace('started', 'moved'));
  await publish(started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
});

it('tells a gap each time when the connection was lost, and hears again after it', async () => {
  const { server, heed, gaps, publish } = await listenerParts();
  await gaps(1);
  for (const count of [2, 3]) {
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await gaps(count);
    expect(await publish(started)).toBe(1);
    await vi.waitFor(() => expect(heed).toHaveBeenCalledTimes(count - 1), RECOVERY);
  }
});

it('tells a gap after a restart of Redis', async () => {
  const { server, heed, gaps, publish } = await listenerParts();
  await gaps(1);
  await server.kill();
  await server.start();
  await gaps(2);
  await publish(started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
});

it('tells a gap when a frozen Redis thaws', async () => {
  const { server, link, heed, gaps, publish } = await listenerParts({ pingDeadlineMs: 1000 });
  await gaps(1);
  server.signal('SIGSTOP');
  await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
  server.signal('SIGCONT');
  await gaps(2);
  await publish(started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
});

it('subscribes when Redis comes, if it was away', async () => {
  const { server, onGap, heed, gaps, publish } = await listenerParts({ startsAway: true });
  expect(onGap).not.toHaveBeenCalled();
  await server.start();
  await gaps(1);
  await publish(started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
});

it('asks again for a channel that it was refused, and hears the others meanwhile', async () => {
  const server = await ownRedis();
  await server.command('ACL', 'SETUSER', 'default', 'resetchannels', `&${CHANNEL}`);
  const link = testLink(server.url, PATIENT);
  await link.ready(10_000);
  const onGap = vi.fn();
  const heed = vi.fn();
  const channels = [CHANNEL, 'p:other'];
  subscribeToAnnouncements(link, { publish: 'SPUBLISH', channels }, heed, onGap, silentLog);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledOnce(), RECOVERY);
  await server.command('SPUBLISH', CHANNEL, started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
  await server.command('ACL', 'SETUSER', 'default', 'allchannels');
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(2), RECOVERY);
  expect(await server.command('SPUBLISH', 'p:other', started)).toBe(1);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledTimes(2), RECOVERY);
});

it('asks again for a channel whose slot its node let go of and has again, as in a Cluster that is moved', async () => {
  const server = await ownRedis('--cluster-enabled', 'yes');
  await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await vi.waitFor(
    async () => expect(await server.command('CLUSTER', 'INFO')).toContain('cluster_state:ok'),
    RECOVERY,
  );
  const link = testLink(server.url, PATIENT);
  await link.ready(10_000);
  const onGap = vi.fn();
  const heed = vi.fn();
  const subscription = { publish: 'SPUBLISH', channels: [CHANNEL, 'p:other'] } as const;
  subscribeToAnnouncements(link, subscription, heed, onGap, silentLog);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledOnce(), RECOVERY);
  const slot = String(await server.command('CLUSTER', 'KEYSLOT', CHANNEL));
  await server.command('CLUSTER', 'DELSLOTS', slot);
  await server.command('CLUSTER', 'ADDSLOTS', slot);
  await vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(2), RECOVERY);
  expect(await server.command('SPUBLISH', CHANNEL, started)).toBe(1);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledOnce(), RECOVERY);
});

it('hears the next announcement after one that could not be handled', async () => {
  const uncaught = catchUncaught();
  const { heed, gaps, publish } = await listenerParts();
  await gaps(1);
  heed.mockImplementationOnce(() => {
    throw new Error('broken');
  });
  await publish(started);
  await publish(started);
  await vi.waitFor(() => expect(heed).toHaveBeenCalledTimes(2), RECOVERY);
  // On the same connection.
  expect(uncaught).toEqual([new Error('broken')]);
  await gaps(1);
});
