/** One call as the upstream saw it, on its own monotonic clock (`GET /calls` of the slow server). */
export interface UpstreamCall {
  number: number;
  url: string;
  name: string;
  startMs: number;
  endMs: number | null;
  status: number | null;
}

/** When the upstream could not look (`GET /pauses`): what it logged right after came at some time in it. */
export interface Pause {
  fromMs: number;
  toMs: number;
}

export interface Verdict {
  calls: number;
  cameras: number;
  /** Consecutive calls to one camera that were compared. */
  pairs: number;
  smallestGapMs: number;
  /** Of the intervals between first and last call, how many had one; 1 is perfect. */
  shareOfIntervals: number;
  /** One sentence for each breach of the guarantee. */
  breaches: string[];
}

/** What waited during a pause is logged within this time after it. */
const AFTER_PAUSE_MS = 10;
/** Timers and the way through the network; the guarantee itself has its guard above the interval. */
const TOLERANCE_MS = 20;

/**
 * Judges the promise by the upstream's own log: for each camera, starts at least one interval apart
 * and no two calls in flight at once.
 */
export function checkCalls(
  calls: readonly UpstreamCall[],
  intervalMs: number,
  pauses: readonly Pause[] = [],
): Verdict {
  const limits = { intervalMs, earliestMs: (atMs: number) => earliest(atMs, pauses) };
  const verdict: Verdict = {
    calls: calls.length,
    cameras: 0,
    pairs: 0,
    smallestGapMs: Number.POSITIVE_INFINITY,
    shareOfIntervals: 1,
    breaches: [],
  };
  let due = 0;
  let made = 0;
  for (const ofCamera of Map.groupBy(calls, (call) => call.url).values()) {
    const inOrder = ofCamera.toSorted((a, b) => a.startMs - b.startMs);
    verdict.cameras += 1;
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      if (earlier) judgePair(earlier, later, limits, verdict);
    }
    const spanMs = (inOrder.at(-1)?.startMs ?? 0) - (inOrder[0]?.startMs ?? 0);
    due += spanMs / intervalMs;
    made += inOrder.length - 1;
  }
  if (due > 0) verdict.shareOfIntervals = made / due;
  return verdict;
}

function judgePair(
  earlier: UpstreamCall,
  later: UpstreamCall,
  { intervalMs, earliestMs }: { intervalMs: number; earliestMs: (atMs: number) => number },
  verdict: Verdict,
): void {
  // Only what is certain counts as a breach: the earlier call may have come before it was noticed.
  const gapMs = later.startMs - earliestMs(earlier.startMs);
  verdict.pairs += 1;
  verdict.smallestGapMs = Math.min(verdict.smallestGapMs, gapMs);
  const pair = `${later.url}: calls ${earlier.number} and ${later.number}`;
  if (gapMs < intervalMs - TOLERANCE_MS) {
    verdict.breaches.push(`${pair} are ${gapMs.toFixed(1)} ms apart, not ${intervalMs}`);
  }
  const overlapMs = earliestMs(earlier.endMs ?? Number.POSITIVE_INFINITY) - later.startMs;
  if (overlapMs > TOLERANCE_MS) {
    verdict.breaches.push(`${pair} were in flight at once for ${overlapMs.toFixed(1)} ms`);
  }
}

function earliest(atMs: number, pauses: readonly Pause[]): number {
  let index = pauses.findIndex(
    ({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + AFTER_PAUSE_MS,
  );
  // Between two pauses in a row it looked only once: it accepts a connection, and reads from it the next time.
  while (index > 0 && pauses[index - 1]?.toMs === pauses[index]?.fromMs) index -= 1;
  return pauses[index]?.fromMs ?? atMs;
}
