import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCamera } from '../test-support/cameras.ts';
import { fakeClock } from '../test-support/fake-clock.ts';
import { wordOf } from '../test-support/permit-word.ts';
import { type CallEnd, createPermits, finishWithRetries, type Permit } from './permits.ts';

type Reply = (token: string) => Promise<unknown>;

const DEPS = { keys: keysFor('test'), replicaLagMs: 0, onTurn: () => {} };

/** Takes reply as the test says; finishes are recorded and succeed as if owned. */
function setup() {
  const clock = fakeClock();
  const state = {
    doubt: undefined as string | undefined,
    accepts: true,
    takeReply: (async () => ['granted', 1000, 1]) as Reply,
    finishReply: (async () => [1, 0]) as Reply,
    deadlineMs: [] as number[],
    tokens: [] as string[],
    finished: [] as string[][],
    late: false,
  };
  const client = {
    evalSha: async (_: string, input: { keys: string[]; arguments: string[] }) => {
      const [token = ''] = input.arguments;
      if (!input.keys.includes(DEPS.keys.epoch)) {
        state.finished.push(input.arguments);
        return await state.finishReply(token);
      }
      state.tokens.push(token);
      return await state.takeReply(token);
    },
  } as unknown as RedisClient;
  const run = async <T>(deadlineMs: number, command: (client: RedisClient) => Promise<T>) => {
    state.deadlineMs.push(deadlineMs);
    const reply = command(client);
    if (!state.late) return await reply;
    state.late = false;
    throw new RedisUnavailableError('no answer in time');
  };
  const monitor = { whyUnfit: () => state.doubt, accept: () => state.accepts };
  const permits = createPermits({ ...DEPS, clock, redis: { run }, monitor });
  return { clock, state, permits };
}

const camera = testCamera();
const RELEASED = ['none', '0'];
const endOf = ([, rest, verdict]: string[]) => [verdict, rest];

describe('take', () => {
  it('S5: uses a fresh token each time', async () => {
    const { permits, state } = setup();
    await permits.take(camera);
    await permits.take(camera);
    expect(new Set(state.tokens).size).toBe(2);
  });

  it('waits for the reply no longer than the call may take to start', async () => {
    const { permits, state } = setup();
    await permits.take(camera);
    expect(state.deadlineMs).toEqual([camera.source.startAllowanceMs]);
  });

  it('S4: requests nothing while Redis is in doubt', async () => {
    const { permits, state } = setup();
    state.doubt = 'stepped';
    expect(wordOf(await permits.take(camera))).toBe('unknown: stepped');
    expect(state.tokens).toEqual([]);
  });

  it('S4: treats a reply that the monitor does not accept as unknown, and releases its grant', async () => {
    const { permits, state } = setup();
    state.accepts = false;
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    await expect.poll(() => state.finished.map(endOf)).toEqual([RELEASED]);
    expect(state.finished[0]?.[0]).toBe(state.tokens[0]);
  });

  it('S8: treats a reply as unknown that is late by the wall clock alone', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      clock.stepWall(camera.source.startAllowanceMs + 1);
      return ['granted', 1000, 1];
    };
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    await expect.poll(() => state.finished.map(endOf)).toEqual([RELEASED]);
  });

  it('S8: measures the age of a permit by the greater of both clocks, from before the request', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      clock.advance(300);
      return ['granted', 1000, 1];
    };
    const result = await permits.take(camera);
    if (result.outcome !== 'granted') throw new Error(wordOf(result));
    expect(result.permit.elapsedMs()).toBe(300);
    clock.stepWall(-60_000);
    expect(result.permit.elapsedMs()).toBe(300);
    clock.stepWall(120_000);
    expect(result.permit.elapsedMs()).toBe(60_300);
  });

  it('L3: releases a grant that arrives after the deadline', async () => {
    const { permits, state } = setup();
    const answer = Promise.withResolvers<void>();
    state.late = true;
    state.takeReply = async () => {
      await answer.promise;
      return ['granted', 1000, 1];
    };
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    expect(state.finished).toEqual([]);
    answer.resolve();
    await expect.poll(() => state.finished.map(endOf)).toEqual([RELEASED]);
  });

  it('does not release anything after a late denial', async () => {
    const { permits, state } = setup();
    state.late = true;
    state.takeReply = async () => ['busy', 1000, 1];
    await permits.take(camera);
    await new Promise(setImmediate);
    expect(state.finished).toEqual([]);
  });

  it('L3: after a lost reply, tries to release a grant until Redis must have run it', async () => {
    const { permits, state } = setup();
    state.takeReply = async () => {
      throw new Error('Socket closed unexpectedly');
    };
    let tries = 0;
    state.finishReply = async () => {
      tries += 1;
      // Away, away, not yet run, then there.
      if (tries < 3) throw new RedisUnavailableError('not connected');
      return tries === 3 ? [0, 0] : [1, 0];
    };
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    await expect.poll(() => tries).toBe(4);
    await new Promise(setImmediate);
    expect(tries).toBe(4);
  });

  it('L3: stops after three misses, or when the permit is over anyway', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      throw new Error('OOM command not allowed');
    };
    state.finishReply = async () => [0, 0];
    await permits.take(camera);
    await expect.poll(() => clock.sleeps).toEqual([100, 200, 400]);
    expect(state.finished).toHaveLength(3);
    state.finishReply = async () => {
      throw new RedisUnavailableError('not connected');
    };
    await permits.take(camera);
    await expect.poll(() => clock.sleeps.length).toBeGreaterThan(20);
    await new Promise(setImmediate);
    expect(clock.sleeps.length).toBeLessThan(40);
  });

  it('does not release anything if the command was never sent', async () => {
    const { clock } = setup();
    const run = async () => {
      throw new RedisUnavailableError('not connected');
    };
    const monitor = { whyUnfit: () => undefined, accept: () => true };
    const permits = createPermits({ ...DEPS, clock, redis: { run }, monitor });
    expect(wordOf(await permits.take(camera))).toBe('unknown: not connected');
    await new Promise(setImmediate);
    expect(clock.sleeps).toEqual([]);
  });
});

describe('finishWithRetries', () => {
  const permit = { token: 'token', camera, elapsedMs: () => 500 };

  /** Permits whose finish fails as often as given, then works. */
  function failing(times: number) {
    const restsMs: number[] = [];
    const finish = async (_permit: Permit, { restMs }: CallEnd) => {
      restsMs.push(restMs);
      if (restsMs.length <= times) throw new RedisUnavailableError('away');
      return 1234;
    };
    return { restsMs, permits: { finish } };
  }

  it('returns the time until the next permit', async () => {
    const { permits } = failing(0);
    const endNow = () => ({ verdict: 'ok', restMs: 1 }) as const;
    expect(await finishWithRetries(permit, endNow, permits)).toBe(1234);
  });

  it("L3: returns the rest of the permit's life when Redis fails, and retries in the background", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { permits, restsMs } = failing(2);
    let restMs = 100;
    const endNow = () => {
      restMs -= 10;
      return { verdict: 'ok', restMs } as const;
    };
    const nextMs = await finishWithRetries(permit, endNow, permits);
    expect(nextMs).toBe(permitLifeMs(camera.source) - 500);
    await vi.advanceTimersByTimeAsync(1000);
    expect(restsMs).toEqual([90, 80, 70]);
  });
});
