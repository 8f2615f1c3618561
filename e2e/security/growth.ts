/** The CPU time for a text, and for one four times as long. */
export interface Growth {
  smallMs: number;
  largeMs: number;
}

const RUNS = 3;
/** Twice the expected ratio, to allow for noise. */
const MAX_RATIO = 8;

/**
 * Returns undefined when parse time grows at most linearly with the text. It measures this thread's
 * CPU time, which other processes on the machine hardly affect.
 * @param limits below `floorMs` times are noise; above `ceilingMs` parsing is too slow at any
 *   ratio, such as when only part of the text is read
 */
export function superlinearGrowth(
  parse: (text: string) => unknown,
  textOf: (length: number) => string,
  { length, floorMs, ceilingMs }: { length: number; floorMs: number; ceilingMs: number },
): Growth | undefined {
  const [small, large] = [textOf(length), textOf(4 * length)];
  if (cpuMsOf(() => parse(large)) <= floorMs) return undefined;
  const smallMs = leastOf(() => cpuMsOf(() => parse(small)));
  const largeMs = leastOf(() => cpuMsOf(() => parse(large)));
  const isLinear = largeMs <= floorMs || largeMs <= Math.min(ceilingMs, MAX_RATIO * smallMs);
  return isLinear ? undefined : { smallMs, largeMs };
}

function leastOf(measure: () => number): number {
  return Math.min(...Array.from({ length: RUNS }, measure));
}

export function cpuMsOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  try {
    work();
  } catch {
    // A parser may reject the text; only the time counts.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
