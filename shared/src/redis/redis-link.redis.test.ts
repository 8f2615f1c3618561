import { once } from 'node:events';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../testing/redis/redis-server.ts';
import { ownRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { RedisUnavailableError } from '../process/errors.ts';
import { createLog } from '../process/log.ts';
import type { RedisLink } from './redis-link.ts';

const RECOVERY = { timeout: 10_000, interval: 50 };

const ping = (link: RedisLink, deadlineMs = 2000) =>
  link.run(deadlineMs, (client) => client.ping());

/** Waits until commands succeed again. */
async function expectBack(link: RedisLink): Promise<void> {
  await vi.waitFor(async () => expect(await ping(link)).toBe('PONG'), RECOVERY);
}

/** Collects uncaught errors, each of which would have ended the process. */
function collectUncaught(): unknown[] {
  const uncaughtErrors: unknown[] = [];
  const note = (error: unknown) => void uncaughtErrors.push(error);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  });
  return uncaughtErrors;
}

describe('a reachable Redis', () => {
  it('responds, and knows the connection by its name', async () => {
    const link = testLink(inject('redisUrl'), { name: 'queue' });
    await link.ready(10_000);
    expect(link.isReady).toBe(true);
    expect(await ping(link)).toBe('PONG');
    expect(await link.run(2000, (client) => client.clientGetName())).toBe('lastframe:queue');
  });

  it('may reject a command, which then fails with its error', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const refused = link.run(2000, (client) => client.sendCommand(['NONSENSE']));
    await expect(refused).rejects.toThrow(/unknown command/);
  });

  it('may miss the deadline of one command and respond to the next', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const slow = link.run(50, (client) => client.blPop('test-nobody-pushes', 1));
    await expect(slow).rejects.toThrow(RedisUnavailableError);
    await expectBack(link);
  });
});

describe('a busy process', () => {
  it('accepts a reply that arrived while it was busy, even after the deadline', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const answered = ping(link, 50);
    await new Promise((resolve) => setImmediate(resolve)); // it is written, but nothing is read yet
    // Blocks without taking the CPU from Redis.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(await answered).toBe('PONG');
  });

  it('writes all commands of one turn of its event loop at once, however large they are', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const blocked = new Int32Array(new SharedArrayBuffer(4));
    let turns = 0;
    const countTurns = setInterval(() => {
      turns += 1;
      Atomics.wait(blocked, 0, 0, 20);
    }, 0);
    const frame = 'x'.repeat(100_000);
    await Promise.all(Array.from({ length: 40 }, () => link.client.echo(frame)));
    clearInterval(countTurns);
    expect(turns).toBeLessThan(20); // with a turn for each, it would be 40
  });
});

describe('a busy connection', () => {
  it('is not considered dead while replies arrive, however long its HELLO waits', async () => {
    const link = testLink(inject('redisUrl'), { pingDeadlineMs: 1000 });
    await link.ready(10_000);
    const lost = vi.fn();
    link.client.on('reconnecting', lost);
    const one = () => link.run(15_000, (client) => client.blPop('test-nobody-pushes', 0.1));
    await Promise.all(Array.from({ length: 40 }, one));
    expect(await ping(link)).toBe('PONG');
    expect(lost).not.toHaveBeenCalled();
  });
});

describe('an unreachable Redis', () => {
  it('fails every command at once', async () => {
    const link = testLink(`redis://127.0.0.1:${await freePort()}`);
    const command = vi.fn(async () => {});
    const since = performance.now();
    await expect(link.run(5000, command)).rejects.toThrow(RedisUnavailableError);
    expect(performance.now() - since).toBeLessThan(4000);
    expect(command).not.toHaveBeenCalled();
  });

  it('is connected once it is up', async () => {
    const server = await ownRedis();
    await server.kill();
    const link = testLink(server.url);
    await once(link.client, 'error');
    await server.start();
    await expectBack(link);
  });

  it('is reconnected after a restart; its loss and its return are logged once each', async () => {
    const uncaughtErrors = collectUncaught();
    const server = await ownRedis();
    const log = createLog('test', 'silent');
    const logs = [vi.spyOn(log, 'info'), vi.spyOn(log, 'warn')];
    // A slow HELLO would log one more loss.
    const link = testLink(server.url, { log, pingDeadlineMs: 10_000 });
    await link.ready(10_000);
    await server.kill();
    await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
    await expect(ping(link)).rejects.toThrow(RedisUnavailableError);
    // Not `once` of node:events, which rejects with the errors of the attempts.
    await new Promise((done) => link.client.once('reconnecting', done));
    await server.start();
    await expectBack(link);
    expect(logs.map(({ mock }) => mock.calls.map(([, message]) => message))).toEqual([
      ['redis connected', 'redis connected'],
      ['redis lost'],
    ]);
    expect(uncaughtErrors).toEqual([]);
  });

  it('does not delay closing, and is not connected afterwards', async () => {
    const server = await ownRedis();
    const link = testLink(server.url);
    await link.ready(10_000);
    await server.kill();
    const since = performance.now();
    await link.close();
    await link.close();
    expect(performance.now() - since).toBeLessThan(5000);
    const ready = vi.fn();
    link.client.on('ready', ready);
    await server.start();
    await testLink(server.url).ready(10_000);
    expect([link.isReady, ready.mock.calls.length]).toEqual([false, 0]);
  });

  it('can be closed before it was ever reached', async () => {
    const uncaughtErrors = collectUncaught();
    const link = testLink(`redis://127.0.0.1:${await freePort()}`);
    await link.close();
    expect(link.isReady).toBe(false);
    expect(uncaughtErrors).toEqual([]);
  });
});

describe('a frozen Redis', () => {
  it('fails commands within their deadline, and is used again when it thaws', async () => {
    const uncaughtErrors = collectUncaught();
    const server = await ownRedis();
    const link = testLink(server.url);
    await link.ready(10_000);
    server.signal('SIGSTOP');
    const since = performance.now();
    await expect(ping(link, 300)).rejects.toThrow(/did not respond within 300 ms/);
    expect(performance.now() - since).toBeLessThan(5000);
    await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
    server.signal('SIGCONT');
    await expectBack(link);
    expect(uncaughtErrors).toEqual([]);
  });

  it('does not delay closing', async () => {
    const server = await ownRedis();
    const link = testLink(server.url);
    await link.ready(10_000);
    server.signal('SIGSTOP');
    void ping(link, 200).catch(() => {});
    const since = performance.now();
    await link.close();
    expect(performance.now() - since).toBeLessThan(5000);
  });
});

it('a subscription survives a killed connection, a restart and a frozen Redis', async () => {
  const server = await ownRedis();
  const link = testLink(server.url, { pingDeadlineMs: 300 });
  await link.ready(10_000);
  const heard = vi.fn();
  await link.client.subscribe('news', heard);
  const expectHeard = () =>
    vi.waitFor(async () => {
      await server.command('PUBLISH', 'news', 'x');
      expect(heard).toHaveBeenCalled();
      heard.mockClear();
    }, RECOVERY);
  await expectHeard();
  await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await expectHeard();
  await server.kill();
  await server.start();
  await expectHeard();
  server.signal('SIGSTOP');
  await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
  server.signal('SIGCONT');
  await expectHeard();
});

it('commands around reconnects succeed or fail, and crash nothing', async () => {
  const uncaughtErrors = collectUncaught();
  const server = await ownRedis();
  const link = testLink(server.url, { pingDeadlineMs: 300 });
  await link.ready(10_000);
  let sending = true;
  const ends = { answered: 0, failed: 0 };
  const flood = (async () => {
    while (sending) {
      const batch = Array.from({ length: 50 }, () => ping(link, 200));
      for (const { status } of await Promise.allSettled(batch)) {
        ends[status === 'fulfilled' ? 'answered' : 'failed'] += 1;
      }
      await new Promise(setImmediate);
    }
  })();
  for (let round = 0; round < 5; round += 1) {
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    const { answered } = ends;
    await vi.waitFor(() => expect(ends.answered).toBeGreaterThan(answered + 100), RECOVERY);
  }
  await server.kill();
  const { failed } = ends;
  await vi.waitFor(() => expect(ends.failed).toBeGreaterThan(failed + 100), RECOVERY);
  await server.start();
  const { answered } = ends;
  await vi.waitFor(() => expect(ends.answered).toBeGreaterThan(answered + 100), RECOVERY);
  sending = false;
  await flood;
  expect(uncaughtErrors).toEqual([]);
});
