/** A call in the slow server's log, which has more fields. */
export interface Call {
  number: number;
  url: string;
  startMs: number;
}

export interface CallSummary {
  /** Calls that started during the load. */
  count: number;
  /** Between two starts, including the last one before the load; undefined without a pair. */
  leastGapMs: number | undefined;
}

/** @param lastBefore number of the last call to any camera before the load; 0 if none */
export function summarizeCalls(
  calls: readonly Call[],
  url: string,
  lastBefore: number,
): CallSummary {
  const matching = calls.filter((call) => call.url === url).sort((a, b) => a.startMs - b.startMs);
  const firstDuring = matching.findIndex(({ number }) => number > lastBefore);
  if (firstDuring === -1) return { count: 0, leastGapMs: undefined };
  const starts = matching.slice(Math.max(0, firstDuring - 1)).map(({ startMs }) => startMs);
  const gaps = starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? startMs));
  return {
    count: matching.length - firstDuring,
    leastGapMs: gaps.length > 0 ? Math.min(...gaps) : undefined,
  };
}

/** @throws Error when the slow server's response is not a list of calls */
export async function fetchCalls(callsUrl: string): Promise<Call[]> {
  const response = await fetch(callsUrl);
  const calls: unknown = await response.json();
  if (!Array.isArray(calls)) throw new Error(`${callsUrl} is not a list of calls`);
  return calls as Call[];
}
