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
    /** What answers the script with this mode, if not at once. */
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
  /** A command's times, as a take has them: sent now, answered after so long. */
  const command = (tookMs = 1) => {
    const sentMonoMs = clock.monoMs();
    const redisMs = sentMonoMs + redis.offsetMs;
    return { redisMs, sentMonoMs, receivedMonoMs: sentMonoMs + tookMs };
  };
  return { clock, redis, watch, command };
}

const turns = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

describe('the clock of Redis', () => {
  it('S4: is in doubt before the first look', async () => {
    const { watch } = setup();
    expect(watch.whyUnfit()).toBeDefined();
    expect(watch.nowMs()).toBeUndefined();
    await watch.poll();
    expect(watch.whyUnfit()).toBeUndefined();
    expect(watch.nowMs()).toBeDefined();
  });

  it('S4: a step in either direction makes the reply unknown and begins a hold-off', async () => {
    for (const stepMs of [10_000, -10_000, 50, -50]) {
      const { clock, redis, watch, command } = setup();
      await watch.poll();
      clock.pass(100);
      redis.offsetMs += stepMs;
      expect(watch.accept(command())).toBe(false);
      expect(redis.modes).toEqual(['', 'step']);
    }
  });

  it('S4: replies to what was sent before the hold-off was acknowledged stay unknown', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.pass(100);
    const written = Promise.withResolvers<void>();
    redis.hold.set('step', written.promise);
    const sentBefore = command();
    redis.offsetMs += 10_000;
    const sentAfterTheStep = command();
    expect(watch.accept(sentAfterTheStep)).toBe(false);
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    // The old offset is kept: a reply by either clock is refused while the hold-off is not written.
    expect(watch.accept(sentBefore)).toBe(false);
    clock.pass(10);
    const sentMeanwhile = command();
    expect(watch.accept(sentMeanwhile)).toBe(false);
    clock.pass(10);
    written.resolve();
    await turns();
    expect(watch.whyUnfit()).toBeUndefined();
    for (const reading of [sentBefore, sentAfterTheStep, sentMeanwhile]) {
      expect(watch.accept(reading)).toBe(false);
    }
    clock.pass(1);
    expect(watch.accept(command())).toBe(true);
  });

  it('S4: a second step right behind the first is seen, too', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.pass(100);
    redis.offsetMs += 10_000;
    expect(watch.accept(command())).toBe(false);
    await turns();
    expect(watch.whyUnfit()).toBeUndefined();
    clock.pass(10);
    redis.offsetMs += 10_000;
    expect(watch.accept(command())).toBe(false);
    expect(redis.modes).toEqual(['', 'step', 'step']);
  });

  it('S4: a hold-off that could not be written is tried again at the next look', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.pass(100);
    redis.offsetMs += 10_000;
    const reading = command();
    redis.down = true;
    expect(watch.accept(reading)).toBe(false);
    await turns();
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    await watch.poll();
    expect(watch.whyUnfit()).toBe("Redis's clock stepped");
    redis.down = false;
    clock.pass(1000);
    await watch.poll();
    expect(watch.whyUnfit()).toBeUndefined();
    expect(redis.modes).toEqual(['', 'step', '']);
  });

  it('S4: a step that several replies tell of is declared once', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    clock.pass(100);
    const written = Promise.withResolvers<void>();
    redis.hold.set('step', written.promise);
    redis.offsetMs += 10_000;
    for (let n = 0; n < 5; n += 1) expect(watch.accept(command())).toBe(false);
    const looked = watch.poll();
    written.resolve();
    await looked;
    expect(redis.modes.filter((mode) => mode === 'step')).toEqual(['step']);
  });

  it('is believed when it only drifts', async () => {
    const { clock, redis, watch, command } = setup();
    await watch.poll();
    for (let n = 0; n < 1000; n += 1) {
      clock.pass(1000);
      redis.offsetMs += 0.5;
      const reading = command();
      expect(watch.accept({ ...reading, redisMs: Math.floor(reading.redisMs) })).toBe(true);
    }
  });
});

describe('a look', () => {
  it('adopts until it was answered, and then never again', async () => {
    const { redis, watch } = setup({ adopt: true });
    redis.down = true;
    await watch.poll();
    redis.down = false;
    await watch.poll();
    await watch.poll();
    expect(redis.modes).toEqual(['adopt', '']);
  });

  it('that fails leaves nothing to call with', async () => {
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
