import { schedulingMs } from './proc.ts';

interface Running {
  readonly pid: number;
  readonly hasEnded: boolean;
}

type Scheduling = Awaited<ReturnType<typeof schedulingMs>> | undefined;

/**
 * Measures how much slower the machine makes these processes: 1 with a CPU for each whenever it is
 * ready, 2 if they wait for one as long as they run. Time bounds are multiplied by it, so that they
 * are tight on a quiet machine and hold on a busy one.
 * @returns a function that returns the slowdown since the start, at least 1
 */
export async function measureSlowdown(
  processes: readonly Running[],
): Promise<() => Promise<number>> {
  const before = await sampleAll(processes);
  return async () => slowdownOf(before, await sampleAll(processes));
}

async function sampleAll(all: readonly Running[]): Promise<Scheduling[]> {
  return await Promise.all(
    all.map((child) =>
      child.hasEnded ? undefined : schedulingMs(child.pid).catch(() => undefined),
    ),
  );
}

/** Counts only processes that lived through both samples. */
function slowdownOf(before: readonly Scheduling[], after: readonly Scheduling[]): number {
  let [ranMs, waitedMs] = [0, 0];
  for (const [n, from] of before.entries()) {
    const to = after[n];
    if (!from || !to) continue;
    ranMs += to.ranMs - from.ranMs;
    waitedMs += to.waitedMs - from.waitedMs;
  }
  return ranMs > 0 ? (ranMs + waitedMs) / ranMs : 1;
}
