/** A call as logged by the upstream, on its monotonic clock (`GET /calls` of the slow server). */
export interface UpstreamCall {
  number: number;
  url: string;
  name: string;
  startMs: number;
  endMs: number | null;
  status: number | null;
}

/**
 * A time in which the upstream's event loop was blocked (`GET /pauses`). A call logged during it or
 * right after it may have arrived at any moment of it.
 */
export interface Pause {
  fromMs: number;
  toMs: number;
}

export interface Verdict {
  calls: number;
  cameras: number;
  /** Compared pairs of consecutive calls to one camera. */
  pairs: number;
  smallestGapMs: number;
  /** The share of intervals between first and last call that had a call; 1 is perfect. */
  shareOfIntervals: number;
  /** One sentence for each breach of the guarantee. */
  breaches: string[];
}

/** A call that waited during a pause is logged within this time after it. */
const AFTER_PAUSE_MS = 15;
/** For timers and the network; the guarantee adds its own guard to the interval. */
const TOLERANCE_MS = 20;

/**
 * Checks the guarantee against the upstream's own log: for each camera, calls start at least one
 * interval apart, and no two are in flight at once.
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
  let expectedCalls = 0;
  let actualCalls = 0;
  for (const cameraCalls of Map.groupBy(calls, (call) => call.url).values()) {
    const inOrder = cameraCalls.toSorted((a, b) => a.startMs - b.startMs);
    verdict.cameras += 1;
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      if (earlier) checkPair(earlier, later, limits, verdict);
    }
    const spanMs = (inOrder.at(-1)?.startMs ?? 0) - (inOrder[0]?.startMs ?? 0);
    expectedCalls += spanMs / intervalMs;
    actualCalls += inOrder.length - 1;
  }
  if (expectedCalls > 0) verdict.shareOfIntervals = actualCalls / expectedCalls;
  return verdict;
}

function checkPair(
  earlier: UpstreamCall,
  later: UpstreamCall,
  { intervalMs, pauses }: { intervalMs: number; pauses: readonly Pause[] },
  verdict: Verdict,
): void {
  // Only certain breaches count: the earlier call may have arrived before it was logged.
  const gapMs = later.startMs - earliestTimeOf(earlier.startMs, pauses);
  verdict.pairs += 1;
  verdict.smallestGapMs = Math.min(verdict.smallestGapMs, gapMs);
  const pair = `${later.url}: calls ${earlier.number} and ${later.number}`;
  if (gapMs < intervalMs - TOLERANCE_MS) {
    verdict.breaches.push(
      `${pair} are ${gapMs.toFixed(1)} ms apart, not ${intervalMs}${pauseHint(earlier, pauses)}`,
    );
  }
  const overlapMs =
    earliestTimeOf(earlier.endMs ?? Number.POSITIVE_INFINITY, pauses) - later.startMs;
  if (overlapMs > TOLERANCE_MS) {
    verdict.breaches.push(`${pair} were in flight at once for ${overlapMs.toFixed(1)} ms`);
  }
}

/** Hints that the upstream may have logged late, rather than the call having come early. */
function pauseHint({ number, startMs }: UpstreamCall, pauses: readonly Pause[]): string {
  const last = pauses.findLast(({ toMs }) => toMs < startMs && toMs > startMs - 1000);
  if (!last) return '';
  return ` (${(startMs - last.toMs).toFixed(0)} ms before it logged call ${number}, the upstream was blocked for ${(last.toMs - last.fromMs).toFixed(0)} ms)`;
}

/** Returns the earliest time at which an event logged at `atMs` may have happened. */
export function earliestTimeOf(atMs: number, pauses: readonly Pause[]): number {
  const pause = pauses.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + AFTER_PAUSE_MS);
  return pause?.fromMs ?? atMs;
}
