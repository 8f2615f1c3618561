import { setTimeout as sleep } from 'node:timers/promises';

/** Local time as a dependency, so that tests and models can control it. */
export interface Clock {
  /** Monotonic milliseconds since some start; stops while the machine is suspended. */
  monoMs(): number;
  /** Milliseconds since the epoch by this machine's wall clock, which may be wrong and may step. */
  wallMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal ? { signal } : {});
  },
};

/**
 * Starts a stopwatch that returns the greater of monotonic and wall-clock time elapsed: suspending
 * the machine stops the first, setting the clock back falsifies the second.
 */
export function startStopwatch(clock: Pick<Clock, 'monoMs' | 'wallMs'>): () => number {
  const mono = clock.monoMs();
  const wall = clock.wallMs();
  return () => Math.max(clock.monoMs() - mono, clock.wallMs() - wall);
}
