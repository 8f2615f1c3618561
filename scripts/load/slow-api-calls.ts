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
  const starts = calls.filter((call) => call.url === url).sort((a, b) => a.startMs - b.startMs);
  const during = starts
    .map(({ startMs, number }, index) => ({
      gapMs: startMs - (starts[index - 1]?.startMs ?? -Infinity),
      number,
    }))
    .filter(({ number }) => number > lastBefore);
  const leastGapMs = Math.min(...during.map(({ gapMs }) => gapMs));
  return { count: during.length, leastGapMs: leastGapMs === Infinity ? undefined : leastGapMs };
}

/** @throws Error when the slow server's response is not a list of calls */
export async function fetchCalls(callsUrl: string): Promise<Call[]> {
  const response = await fetch(callsUrl);
  const calls: unknown = await response.json();
  if (!Array.isArray(calls)) throw new Error(`${callsUrl} is not a list of calls`);
  return calls as Call[];
}
