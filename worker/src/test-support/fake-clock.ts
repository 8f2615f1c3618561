import type { Clock } from '@lastframe/shared/process/clock';

export interface FakeClock extends Clock {
  /** Both clocks move on. */
  pass(ms: number): void;
  /** Only the wall clock moves: somebody set it, or the machine was suspended. */
  stepWall(ms: number): void;
  /** How long somebody slept, in order. */
  readonly slept: number[];
}

/** Time that moves when told, and by sleeping, which ends at once. */
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
    pass,
    stepWall: (ms) => {
      wall += ms;
    },
    slept,
  };
}
