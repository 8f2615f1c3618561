/** What a text of this many characters, and one of four times as many, costs. */
export interface Growth {
  smallMs: number;
  largeMs: number;
}

const RUNS = 3;
/** Four times the text may take twice as long as it should. */
const MAX_RATIO = 8;

/**
 * Undefined when parsing takes time in proportion to the text at most. The time is this thread's own,
 * so other processes on the machine count little.
 * @param limits below `floorMs` nothing is told from noise; above `ceilingMs` it is too slow anyway,
 *   as where only a part of the text is read
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
    // A refusal is an answer too.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
