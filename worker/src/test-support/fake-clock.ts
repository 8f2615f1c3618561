import type { Clock } from '@lastframe/shared/process/clock';

export interface FakeClock extends Clock {
  /** Moves both clocks on. */
  advance(ms: number): void;
  /** Moves only the wall clock, as when it is set or the machine was suspended. */
  stepWall(ms: number): void;
  /** The lengths of all sleeps, in order. */
  readonly sleeps: number[];
}

/** Creates a clock that only `pass` and sleeps move; sleeps end at once. */
export function fakeClock(): FakeClock {
  let mono = 1_000_000;
  let wall = Date.UTC(2026, 0, 1);
  const slept: number[] = [];
  const pass = (ms: number) => {
    mono += ms;
    wall += ms;
  };
  return {
    monoMs: () => mono,
    wallMs: () => wall,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      pass(ms);
    },
    advance: pass,
    stepWall: (ms) => {
      wall += ms;
    },
    sleeps: slept,
  };
}
