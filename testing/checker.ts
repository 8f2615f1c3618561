/** One call as the upstream saw it, on its own monotonic clock (`GET /calls` of the slow server). */
export interface UpstreamCall {
  number: number;
  url: string;
  name: string;
  startMs: number;
  endMs: number | null;
  status: number | null;
}

/** When the upstream could not look (`GET /pauses`): what it logged in it or right after came at some time in it. */
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

/** What waited during a pause is logged within this time after it: until the upstream looks at the clock again. */
const AFTER_PAUSE_MS = 15;
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
  const limits = { intervalMs, pauses };
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
  { intervalMs, pauses }: { intervalMs: number; pauses: readonly Pause[] },
  verdict: Verdict,
): void {
  // Only what is certain counts as a breach: the earlier call may have come before it was noticed.
  const gapMs = later.startMs - earliest(earlier.startMs, pauses);
  verdict.pairs += 1;
  verdict.smallestGapMs = Math.min(verdict.smallestGapMs, gapMs);
  const pair = `${later.url}: calls ${earlier.number} and ${later.number}`;
  if (gapMs < intervalMs - TOLERANCE_MS) {
    verdict.breaches.push(
      `${pair} are ${gapMs.toFixed(1)} ms apart, not ${intervalMs}${lastPause(earlier, pauses)}`,
    );
  }
  const overlapMs = earliest(earlier.endMs ?? Number.POSITIVE_INFINITY, pauses) - later.startMs;
  if (overlapMs > TOLERANCE_MS) {
    verdict.breaches.push(`${pair} were in flight at once for ${overlapMs.toFixed(1)} ms`);
  }
}

/** For who wonders whether the upstream was late rather than the call early. */
function lastPause({ number, startMs }: UpstreamCall, pauses: readonly Pause[]): string {
  const last = pauses.findLast(({ toMs }) => toMs < startMs && toMs > startMs - 1000);
  if (!last) return '';
  return ` (${(startMs - last.toMs).toFixed(0)} ms before it logged call ${number} the upstream could not look for ${(last.toMs - last.fromMs).toFixed(0)} ms)`;
}

/** When that may have come which the upstream noticed at this time. */
export function earliest(atMs: number, pauses: readonly Pause[]): number {
  const pause = pauses.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + AFTER_PAUSE_MS);
  return pause?.fromMs ?? atMs;
}
