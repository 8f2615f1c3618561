import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import { describe, expect, it } from 'vitest';
import { testCamera } from '../test-support/cameras.ts';
import { fakeClock } from '../test-support/fake-clock.ts';
import { wordOf } from '../test-support/permit-word.ts';
import { createPermits } from './permits.ts';

type Reply = (token: string) => Promise<unknown>;

/** Takes answer as the test says; finishes are noted, and answered like those of an owner. */
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
      if (input.keys.length === 4) {
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
  const watch = { whyUnfit: () => state.doubt, accept: () => state.accepts };
  const keys = keysFor('test');
  const permits = createPermits({ clock, redis: { run }, watch, keys, replicaLagMs: 0 });
  return { clock, state, permits };
}

const camera = testCamera();
const GIVEN_BACK = ['none', '0'];
const endOf = ([, rest, verdict]: string[]) => [verdict, rest];

describe('take', () => {
  it('S5: has a fresh token each time', async () => {
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

  it('S4: asks for nothing while Redis is in doubt', async () => {
    const { permits, state } = setup();
    state.doubt = 'stepped';
    expect(wordOf(await permits.take(camera))).toBe('unknown: stepped');
    expect(state.tokens).toEqual([]);
  });

  it('S4: a reply that the watch does not accept is unknown, and a grant in it given back', async () => {
    const { permits, state } = setup();
    state.accepts = false;
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    await expect.poll(() => state.finished.map(endOf)).toEqual([GIVEN_BACK]);
    expect(state.finished[0]?.[0]).toBe(state.tokens[0]);
  });

  it('S8: a reply that was read late by the wall clock is unknown, though the monotonic one stood still', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      clock.stepWall(camera.source.startAllowanceMs + 1);
      return ['granted', 1000, 1];
    };
    expect(wordOf(await permits.take(camera))).toContain('unknown');
    await expect.poll(() => state.finished.map(endOf)).toEqual([GIVEN_BACK]);
  });

  it('S8: a permit ages by the greater of both clocks, from before it was asked for', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      clock.pass(300);
      return ['granted', 1000, 1];
    };
    const taken = await permits.take(camera);
    if (taken.outcome !== 'granted') throw new Error(wordOf(taken));
    expect(taken.permit.elapsedMs()).toBe(300);
    clock.stepWall(-60_000);
    expect(taken.permit.elapsedMs()).toBe(300);
    clock.stepWall(120_000);
    expect(taken.permit.elapsedMs()).toBe(60_300);
  });

  it('L3: a grant that comes after the deadline is given back', async () => {
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
    await expect.poll(() => state.finished.map(endOf)).toEqual([GIVEN_BACK]);
  });

  it('a denial that comes late leaves nothing to give back', async () => {
    const { permits, state } = setup();
    state.late = true;
    state.takeReply = async () => ['busy', 1000, 1];
    await permits.take(camera);
    await new Promise(setImmediate);
    expect(state.finished).toEqual([]);
  });

  it('L3: a lost reply may hide a grant, which is looked for until Redis must have run it', async () => {
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

  it('L3: gives up the search after three misses, or when the permit is over anyway', async () => {
    const { permits, state, clock } = setup();
    state.takeReply = async () => {
      throw new Error('OOM command not allowed');
    };
    state.finishReply = async () => [0, 0];
    await permits.take(camera);
    await expect.poll(() => clock.slept).toEqual([100, 200, 400]);
    expect(state.finished).toHaveLength(3);
    state.finishReply = async () => {
      throw new RedisUnavailableError('not connected');
    };
    await permits.take(camera);
    await expect.poll(() => clock.slept.length).toBeGreaterThan(20);
    await new Promise(setImmediate);
    expect(clock.slept.length).toBeLessThan(40);
  });

  it('a command that never left needs no giving back', async () => {
    const { clock } = setup();
    const run = async () => {
      throw new RedisUnavailableError('not connected');
    };
    const watch = { whyUnfit: () => undefined, accept: () => true };
    const keys = keysFor('test');
    const permits = createPermits({ clock, redis: { run }, watch, keys, replicaLagMs: 0 });
    expect(wordOf(await permits.take(camera))).toBe('unknown: not connected');
    await new Promise(setImmediate);
    expect(clock.slept).toEqual([]);
  });
});
