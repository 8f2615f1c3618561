import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog, testCamera } from '../test-support/cameras.ts';
import { createRefreshResults } from './refresh-results.ts';

const camera = testCamera();
const frame = {
  bytes: Buffer.from('x'),
  contentType: 'image/jpeg',
  etag: '"e"',
  startedAgoMs: 0,
  capturedAgoMs: 0,
  nextMs: 0,
};

const DEPS = {
  clock: { monoMs: () => performance.now() },
  lateness: { since: () => () => 0 },
  keys: keysFor('test'),
  redisNowMs: () => undefined,
  log: silentLog,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A frames Redis that fails as often as given, then works. */
function setup({ framesFail = 0 } = {}) {
  const counts = { frames: 0 };
  const run = async () => {
    counts.frames += 1;
    if (counts.frames <= framesFail) throw new RedisUnavailableError('away');
    return 'frame' as never;
  };
  return { reporter: createRefreshResults({ ...DEPS, frames: { run } }), counts };
}

describe('a frame', () => {
  it('is stored after Redis fails a few times', async () => {
    const { reporter, counts } = setup({ framesFail: 3 });
    const stored = reporter.storeFrame(camera, () => frame);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await stored).toBe('frame');
    expect(counts.frames).toBe(4);
  });

  it('has its ages measured again on every attempt', async () => {
    let attempts = 0;
    const stored = async (_ms: number, command: (client: never) => Promise<unknown>) => {
      const client = {
        evalSha: async () => {
          if (attempts < 3) throw new RedisUnavailableError('away');
          return 'frame';
        },
      };
      return (await command(client as never)) as never;
    };
    const reporter = createRefreshResults({
      ...DEPS,
      frames: { run: stored },
    });
    const frameNow = () => {
      attempts += 1;
      return frame;
    };
    const result = reporter.storeFrame(camera, frameNow);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await result).toBe('frame');
    expect(attempts).toBe(3);
  });

  it('is stored although the process stood still for seconds during the first attempt', async () => {
    let lateMs = 0;
    let attempts = 0;
    const run = async () => {
      attempts += 1;
      if (attempts > 1) return 'frame' as never;
      lateMs = 5000;
      await vi.advanceTimersByTimeAsync(lateMs);
      throw new RedisUnavailableError('did not respond within 1000 ms');
    };
    const lateness = { since: () => () => lateMs };
    const reporter = createRefreshResults({ ...DEPS, lateness, frames: { run } });
    const stored = reporter.storeFrame(camera, () => frame);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await stored).toBe('frame');
  });

  it('is given up after two seconds', async () => {
    const { reporter, counts } = setup({ framesFail: Number.POSITIVE_INFINITY });
    let isGivenUp = false;
    const stored = reporter
      .storeFrame(camera, () => frame)
      .finally(() => {
        isGivenUp = true;
      });
    const rejection = expect(stored).rejects.toThrow('away');
    await vi.advanceTimersByTimeAsync(1000);
    expect(isGivenUp).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    expect(isGivenUp).toBe(true);
    expect(counts.frames).toBeGreaterThan(3);
    await rejection;
  });
});

describe('the frame for a conditional request', () => {
  it('is not read while the last frame stored here came without validators', async () => {
    let reads = 0;
    const client = {
      evalSha: async () => 'frame',
      hmGet: async () => {
        reads += 1;
        return [null, null];
      },
    };
    const run = async (_ms: number, command: (client: never) => Promise<unknown>) =>
      (await command(client as never)) as never;
    const reporter = createRefreshResults({
      ...DEPS,
      frames: { run },
    });
    await reporter.readKnownFrame(camera);
    expect(reads).toBe(1);
    await reporter.storeFrame(camera, () => frame);
    await reporter.readKnownFrame(camera);
    expect(reads).toBe(1);
    await reporter.storeFrame(camera, () => ({ ...frame, validators: { etag: '"camera"' } }));
    await reporter.readKnownFrame(camera);
    expect(reads).toBe(2);
  });
});

describe('an announcement', () => {
  it('does not fail the refresh when it cannot be sent', async () => {
    const { reporter } = setup({ framesFail: Number.POSITIVE_INFINITY });
    reporter.announceStart(camera, {});
    await reporter.announceWait(camera, 'hold', 1000);
  });
});
