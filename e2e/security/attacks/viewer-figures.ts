import { quantileOf } from '../../../testing/checks/quantile.ts';

const noFigures = () => ({
  latenciesMs: [] as number[],
  /** The age of the oldest picture that a viewer had, from the start of its call. */
  oldestMs: 0,
  events: 0,
  pictures: 0,
  /** One line for each response that was not a frame and each rejected stream. */
  failures: [] as string[],
});

/** What viewers of watched cameras saw since the previous `take`. */
export type ViewerFigures = ReturnType<ReturnType<typeof createFigures>['take']>;

export function createFigures() {
  let current = noFigures();
  const shownSinceMs = new Map<object, number>();
  const recordAge = (startMs: number | undefined) => {
    if (startMs !== undefined) current.oldestMs = Math.max(current.oldestMs, machineMs() - startMs);
  };
  return {
    get current() {
      return current;
    },
    /**
     * Adds a viewer. It calls the function with the start of the call of each new picture that it
     * has, and without one when it stops watching.
     */
    addViewer: () => {
      const viewer = {};
      return (startMs?: number) => {
        recordAge(shownSinceMs.get(viewer));
        if (startMs === undefined) shownSinceMs.delete(viewer);
        else shownSinceMs.set(viewer, startMs);
      };
    },
    take: () => {
      for (const startMs of shownSinceMs.values()) recordAge(startMs);
      const { latenciesMs, ...others } = current;
      current = noFigures();
      return {
        hits: latenciesMs.length,
        p50Ms: quantileOf(latenciesMs, 0.5),
        p99Ms: quantileOf(latenciesMs, 0.99),
        slowestMs: quantileOf(latenciesMs, 1),
        ...others,
      };
    },
  };
}

/** Reads the clock with which cameras stamp their frames. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
