/** One call, as the slow server's log has it; more fields are there. */
export interface Call {
  number: number;
  url: string;
  startMs: number;
}

export interface CallSummary {
  /** Calls that started during the load. */
  count: number;
  /** Between two starts, the last one before the load included; undefined when there is no pair. */
  leastGapMs: number | undefined;
}

/** @param lastBefore number of the last call to any camera before the load; 0 when there was none */
export function summarizeCalls(
  calls: readonly Call[],
  url: string,
  lastBefore: number,
): CallSummary {
  const ofCamera = calls.filter((call) => call.url === url).sort((a, b) => a.startMs - b.startMs);
  const firstDuring = ofCamera.findIndex(({ number }) => number > lastBefore);
  if (firstDuring === -1) return { count: 0, leastGapMs: undefined };
  const starts = ofCamera.slice(Math.max(0, firstDuring - 1)).map(({ startMs }) => startMs);
  const gaps = starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? startMs));
  return {
    count: ofCamera.length - firstDuring,
    leastGapMs: gaps.length > 0 ? Math.min(...gaps) : undefined,
  };
}

/** @throws Error when the slow server does not answer as it should */
export async function fetchCalls(callsUrl: string): Promise<Call[]> {
  const response = await fetch(callsUrl);
  const calls: unknown = await response.json();
  if (!Array.isArray(calls)) throw new Error(`${callsUrl} is no list of calls`);
  return calls as Call[];
}
