import type { Clock } from '@lastframe/shared/process/clock';

/**
 * How late the timers of this process run in all, in ms: its event loop is busy, or it gets no CPU.
 * What a camera sends meanwhile waits unread.
 */
export interface Lateness {
  /** Returns a function that returns the lateness since now. */
  since(): () => number;
  close(): void;
}

const TICK_MS = 20;

export function measureLateness(clock: Pick<Clock, 'monoMs'>): Lateness {
  let totalMs = 0;
  let dueMonoMs = clock.monoMs() + TICK_MS;
  const pendingMs = () => Math.max(0, clock.monoMs() - dueMonoMs);
  const timer = setInterval(() => {
    totalMs += pendingMs();
    dueMonoMs = clock.monoMs() + TICK_MS;
  }, TICK_MS).unref();
  return {
    since: () => {
      const beforeMs = totalMs + pendingMs();
      return () => totalMs + pendingMs() - beforeMs;
    },
    close: () => clearInterval(timer),
  };
}

/** Whether this process itself used up half of the time that a camera had. */
export function isOwnLateness(lateMs: number, givenMs: number): boolean {
  return lateMs >= givenMs / 2;
}
