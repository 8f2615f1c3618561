import { once } from 'node:events';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../testing/redis-server.ts';
import { ownRedis, testLink } from '../../../testing/test-redis.ts';
import { RedisUnavailableError } from '../process/errors.ts';
import { createLog } from '../process/log.ts';
import type { RedisLink } from './redis-link.ts';

const RECOVERY = { timeout: 10_000, interval: 50 };

const ping = (link: RedisLink, deadlineMs = 2000) =>
  link.run(deadlineMs, (client) => client.ping());

/** Until commands are answered again; none of them may fail otherwise than with our own error. */
async function expectBack(link: RedisLink): Promise<void> {
  await vi.waitFor(async () => expect(await ping(link)).toBe('PONG'), RECOVERY);
}

/** Anything that nobody caught would have ended the process. */
function catchStrays(): unknown[] {
  const strays: unknown[] = [];
  const note = (error: unknown) => void strays.push(error);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  });
  return strays;
}

describe('a Redis that is there', () => {
  it('answers, and knows the connection by its name', async () => {
    const link = testLink(inject('redisUrl'), { name: 'queue' });
    await link.ready(10_000);
    expect(link.isReady).toBe(true);
    expect(await ping(link)).toBe('PONG');
    expect(await link.run(2000, (client) => client.clientGetName())).toBe('lastframe:queue');
  });

  it('may refuse a command; that is the error of the command', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const refused = link.run(2000, (client) => client.sendCommand(['NONSENSE']));
    await expect(refused).rejects.toThrow(/unknown command/);
  });

  it('may be slower than the deadline of one command, and the next is answered', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const slow = link.run(50, (client) => client.blPop('test-nobody-pushes', 1));
    await expect(slow).rejects.toThrow(RedisUnavailableError);
    await expectBack(link);
  });
});

describe('a process that was busy', () => {
  it('has the reply that came meanwhile, although its deadline is over', async () => {
    const link = testLink(inject('redisUrl'));
    await link.ready(10_000);
    const answered = ping(link, 50);
    await new Promise((resolve) => setImmediate(resolve)); // it is written, and nothing is read yet
    // Blocks without taking the CPU from Redis.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(await answered).toBe('PONG');
  });
});

describe('a connection with much to do', () => {
  it('is not taken for dead while commands are answered, however long its HELLO waits', async () => {
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

describe('a Redis that is away', () => {
  it('fails every command at once', async () => {
    const link = testLink(`redis://127.0.0.1:${await freePort()}`);
    const command = vi.fn(async () => {});
    const since = performance.now();
    await expect(link.run(5000, command)).rejects.toThrow(RedisUnavailableError);
    expect(performance.now() - since).toBeLessThan(4000);
    expect(command).not.toHaveBeenCalled();
  });

  it('is found by itself when it comes', async () => {
    const server = await ownRedis();
    await server.kill();
    const link = testLink(server.url);
    await once(link.client, 'error');
    await server.start();
    await expectBack(link);
  });

  it('is found again after a restart, told once when lost and once when back', async () => {
    const strays = catchStrays();
    const server = await ownRedis();
    const log = createLog('test', 'silent');
    const told = [vi.spyOn(log, 'info'), vi.spyOn(log, 'warn')];
    // A HELLO that is only slow would tell of one more loss.
    const link = testLink(server.url, { log, pingDeadlineMs: 10_000 });
    await link.ready(10_000);
    await server.kill();
    await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
    await expect(ping(link)).rejects.toThrow(RedisUnavailableError);
    // Not `once` of node:events: that fails with the errors of the attempts.
    await new Promise((done) => link.client.once('reconnecting', done));
    await server.start();
    await expectBack(link);
    expect(told.map(({ mock }) => mock.calls.map(([, message]) => message))).toEqual([
      ['redis connected', 'redis connected'],
      ['redis lost'],
    ]);
    expect(strays).toEqual([]);
  });

  it('does not keep the close waiting, nor connect after it', async () => {
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

  it('can be closed before it was ever there', async () => {
    const strays = catchStrays();
    const link = testLink(`redis://127.0.0.1:${await freePort()}`);
    await link.close();
    expect(link.isReady).toBe(false);
    expect(strays).toEqual([]);
  });
});

describe('a Redis that is frozen', () => {
  it('fails commands within their deadline, and is used again when it thaws', async () => {
    const strays = catchStrays();
    const server = await ownRedis();
    const link = testLink(server.url);
    await link.ready(10_000);
    server.signal('SIGSTOP');
    const since = performance.now();
    await expect(ping(link, 300)).rejects.toThrow(/did not answer within 300 ms/);
    expect(performance.now() - since).toBeLessThan(5000);
    await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
    server.signal('SIGCONT');
    await expectBack(link);
    expect(strays).toEqual([]);
  });

  it('does not keep the close waiting', async () => {
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

it('commands around reconnects end, one way or the other, and crash nothing', async () => {
  const strays = catchStrays();
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
  expect(strays).toEqual([]);
});
