import type { Clock } from '@lastframe/shared/process/clock';
import {
  type ClockReading,
  type ClockWindow,
  observeClock,
  redisNowMs,
} from '@lastframe/shared/redis/redis-clock';

/** The frames Redis's time, carried on between its answers by the local monotonic clock. */
export interface FramesClock {
  observe(reading: ClockReading): void;
  /** By this machine's wall clock until the frames Redis has answered once. */
  nowMs(): number;
}

export function createFramesClock(clock: Pick<Clock, 'monoMs' | 'wallMs'>): FramesClock {
  let window: ClockWindow | undefined;
  return {
    observe: (reading) => {
      const seen = observeClock(window, reading);
      // A clock that steps is followed: all that it says is how old something is.
      const next = seen.stepped ? observeClock(undefined, reading) : seen;
      window = next.stepped ? undefined : next.window;
    },
    nowMs: () => (window ? redisNowMs(window, clock.monoMs()) : clock.wallMs()),
  };
}
