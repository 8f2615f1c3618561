import type { Clock } from '@lastframe/shared/process/clock';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../test-support/cameras.ts';
import { fakeClock } from '../test-support/fake-clock.ts';
import { createRedisMonitor } from './redis-monitor.ts';

const FIT = 'role:master\r\nconnected_slaves:0\r\nmaxmemory_policy:noeviction\r\n';

/** A Redis whose clock the test moves, and whose replies it holds back. */
function fakeRedis(clock: Clock) {
  const redis = {
    offsetMs: 5_000_000,
    info: FIT,
    modes: [] as string[],
    /** What replies in this mode wait for. */
    hold: new Map<string, Promise<void>>(),
    down: false,
  };
  const client = {
    evalSha: async (_sha: string, { arguments: [mode = ''] }: { arguments: string[] }) => {
      redis.modes.push(mode);
      const redisMs = clock.monoMs() + redis.offsetMs;
      await redis.hold.get(mode);
      if (redis.down) throw new Error('down');
      return [redisMs, redisMs, 'id'];
    },
    info: async () => redis.info,
    set: async () => 'OK',
  } as unknown as RedisClient;
  const run = async <T>(_ms: number, command: (client: RedisClient) => Promise<T>) => {
    if (redis.down) throw new Error('down');
    return await command(client);
  };
  return Object.assign(redis, { run });
}

function setup({ adopt = false } = {}) {
  const clock = fakeClock();
  const redis = fakeRedis(clock);
  const keys = keysFor('test');
  const takesJobs = () => true;
  const watch = createRedisMonitor({
    clock,
    redis,
    keys,
    log: silentLog,
    maxReplicaLagMs: 10_000,
    adopt,
    takesJobs,
  });
  /** The times of a command sent now, as a take has them. */
  const command = (tookMs = 1) => {
    const sentMonoMs = clock.monoMs();
    const redisMs = sentMonoMs + redis.offsetMs;
    return { redisMs, sentMonoMs, receivedMonoMs: sentMonoMs + tookMs };
  };
  return { clock, redis, watch, command };
}

const microtasks = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

describe("Redis's clock", () => {
  it('S4: is in doubt before the first poll', async () => {
    const { watch } = setup();
    expect(watch.whyUnfit()).toBeDefined();
    expect(watch.nowMs()).toBeUndefined();
    await watch.poll();
    expect(watch.whyUnfit()).toBeUndefined();
    expect(watch.nowMs()).toBeDefined();
  });

  it('S4: makes the reply unknown and begins a hold-off when it steps in either direction', async () => {
    for (const stepMs of [10_000, -10_000, 50, -50]) {
      const { clock, redis, watch, command } = setup();
      await watch.poll();
      clock.advance(100);
      redis.offsetMs += stepMs;
      expect(watch.accept(command())).toBe(false);
      expect(redis.modes).toEqual(['', 'step']);
    }
  });

  it('S4: after a step, replies to commands sent before the hold-off was acknowledged stay unknown', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.advance(100);
    const written = Promise.withResolvers<void>();
    redis.hold.set('step', written.promise);
    const sentBefore = command();
    redis.offsetMs += 10_000;
    const sentAfterTheStep = command();
    expect(watch.accept(sentAfterTheStep)).toBe(false);
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    // The old offset is kept: replies by either clock are rejected until the hold-off is written.
    expect(watch.accept(sentBefore)).toBe(false);
    clock.advance(10);
    const sentMeanwhile = command();
    expect(watch.accept(sentMeanwhile)).toBe(false);
    clock.advance(10);
    written.resolve();
    await microtasks();
    expect(watch.whyUnfit()).toBeUndefined();
    for (const reading of [sentBefore, sentAfterTheStep, sentMeanwhile]) {
      expect(watch.accept(reading)).toBe(false);
    }
    clock.advance(1);
    expect(watch.accept(command())).toBe(true);
  });

  it('S4: is seen to step a second time right after the first', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.advance(100);
    redis.offsetMs += 10_000;
    expect(watch.accept(command())).toBe(false);
    await microtasks();
    expect(watch.whyUnfit()).toBeUndefined();
    clock.advance(10);
    redis.offsetMs += 10_000;
    expect(watch.accept(command())).toBe(false);
    expect(redis.modes).toEqual(['', 'step', 'step']);
  });

  it('S4: after a step, a failed write of the hold-off is retried on the next poll', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.advance(100);
    redis.offsetMs += 10_000;
    const reading = command();
    redis.down = true;
    expect(watch.accept(reading)).toBe(false);
    await microtasks();
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    await watch.poll();
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    redis.down = false;
    clock.advance(1000);
    await watch.poll();
    expect(watch.whyUnfit()).toBeUndefined();
    expect(redis.modes).toEqual(['', 'step', '']);
  });

  it('S4: is declared to step once, however many replies show it', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.advance(100);
    const written = Promise.withResolvers<void>();
    redis.hold.set('step', written.promise);
    redis.offsetMs += 10_000;
    for (let n = 0; n < 5; n += 1) expect(watch.accept(command())).toBe(false);
    const poll = watch.poll();
    written.resolve();
    await poll;
    expect(redis.modes.filter((mode) => mode === 'step')).toEqual(['step']);
  });

  it('is trusted when it only drifts', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    for (let n = 0; n < 1000; n += 1) {
      clock.advance(1000);
      redis.offsetMs += 0.5;
      const reading = command();
      expect(watch.accept({ ...reading, redisMs: Math.floor(reading.redisMs) })).toBe(true);
    }
  });
});

describe('a poll', () => {
  it('adopts until it gets a reply, and then never again', async () => {
    const { redis, watch } = setup({ adopt: true });
    redis.down = true;
    await watch.poll();
    redis.down = false;
    await watch.poll();
    await watch.poll();
    expect(redis.modes).toEqual(['adopt', '']);
  });

  it('suspends calls when it fails', async () => {
    const { redis, watch } = setup();
    await watch.poll();
    redis.down = true;
    await watch.poll();
    expect(watch.whyUnfit()).toContain('down');
    redis.down = false;
    await watch.poll();
    expect(watch.whyUnfit()).toBeUndefined();
  });
});
