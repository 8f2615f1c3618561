import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Finish, Permit } from '../permit/permits.ts';
import { silentLog, testCamera, testSource } from '../test-support/cameras.ts';
import { createRefreshResults } from './refresh-results.ts';

const camera = testCamera(undefined, testSource({ timeoutMs: 100, startAllowanceMs: 100 }));
const permit: Permit = { token: 'token', camera, elapsedMs: () => 500 };
const frame = {
  bytes: Buffer.from('x'),
  contentType: 'image/jpeg',
  etag: '"e"',
  startedAgoMs: 0,
  capturedAgoMs: 0,
  nextMs: 0,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Frames Redis and permits that fail so often, then work. */
function setup({ framesFail = 0, finishFails = 0 } = {}) {
  const counts = { frames: 0, finishes: 0 };
  const ends: Finish[] = [];
  const run = async () => {
    counts.frames += 1;
    if (counts.frames <= framesFail) throw new RedisUnavailableError('away');
    return 'frame' as never;
  };
  const finish = async (_permit: Permit, end: Finish) => {
    counts.finishes += 1;
    ends.push(end);
    if (counts.finishes <= finishFails) throw new RedisUnavailableError('away');
    return 1234;
  };
  const deps = { frames: { run }, permits: { finish }, log: silentLog };
  return { reporter: createRefreshResults({ ...deps, keys: keysFor('test') }), counts, ends };
}

describe('a frame', () => {
  it('is stored although Redis fails a few times', async () => {
    const { reporter, counts } = setup({ framesFail: 3 });
    const stored = reporter.frame(camera, () => frame);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await stored).toBe('frame');
    expect(counts.frames).toBe(4);
  });

  it('has its ages taken anew for every attempt', async () => {
    let asked = 0;
    const stored = async (_ms: number, command: (client: never) => Promise<unknown>) => {
      const client = {
        evalSha: async () => {
          if (asked < 3) throw new RedisUnavailableError('away');
          return 'frame';
        },
      };
      return (await command(client as never)) as never;
    };
    const deps = { keys: keysFor('test'), log: silentLog };
    const reporter = createRefreshResults({
      ...deps,
      frames: { run: stored },
      permits: { finish: async () => 0 },
    });
    const frameNow = () => {
      asked += 1;
      return frame;
    };
    const told = reporter.frame(camera, frameNow);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await told).toBe('frame');
    expect(asked).toBe(3);
  });

  it('is given up after two seconds', async () => {
    const { reporter, counts } = setup({ framesFail: Number.POSITIVE_INFINITY });
    let isGivenUp = false;
    const stored = reporter
      .frame(camera, () => frame)
      .finally(() => {
        isGivenUp = true;
      });
    const givenUp = expect(stored).rejects.toThrow('away');
    await vi.advanceTimersByTimeAsync(1000);
    expect(isGivenUp).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    expect(isGivenUp).toBe(true);
    expect(counts.frames).toBeGreaterThan(3);
    await givenUp;
  });
});

describe('what the next call can ask with', () => {
  it('is not looked for while the last frame that was stored here came without validators', async () => {
    let looks = 0;
    const client = {
      evalSha: async () => 'frame',
      hmGet: async () => {
        looks += 1;
        return [null, null];
      },
    };
    const run = async (_ms: number, command: (client: never) => Promise<unknown>) =>
      (await command(client as never)) as never;
    const deps = { keys: keysFor('test'), log: silentLog };
    const reporter = createRefreshResults({
      ...deps,
      frames: { run },
      permits: { finish: async () => 0 },
    });
    await reporter.known(camera);
    expect(looks).toBe(1);
    await reporter.frame(camera, () => frame);
    await reporter.known(camera);
    expect(looks).toBe(1);
    await reporter.frame(camera, () => ({ ...frame, validators: { etag: '"camera"' } }));
    await reporter.known(camera);
    expect(looks).toBe(2);
  });
});

describe('news', () => {
  it('that can not be sent fail nothing', async () => {
    const { reporter } = setup({ framesFail: Number.POSITIVE_INFINITY });
    reporter.started(camera);
    await reporter.wait(camera, 'hold', 1000);
  });
});

describe('a finish', () => {
  it('gives when the next permit can be had', async () => {
    const { reporter } = setup();
    expect(await reporter.finish(permit, () => ({ verdict: 'ok', restMs: 1 }))).toBe(1234);
  });

  it('L3: that fails is told as the most that the permit may live, and goes on behind', async () => {
    const { reporter, ends } = setup({ finishFails: 2 });
    let restMs = 100;
    const endNow = () => {
      restMs -= 10;
      return { verdict: 'ok', restMs } as const;
    };
    expect(await reporter.finish(permit, endNow)).toBe(permitLifeMs(camera.source) - 500);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ends.map((end) => end.restMs)).toEqual([90, 80, 70]);
  });
});
