import autocannon, { type Result } from 'autocannon';

export interface LoadResult {
  /** Of all responses, ascending. */
  latenciesMs: Float64Array;
  /** Status → number of responses. */
  statuses: ReadonlyMap<number, number>;
  requestsPerSecond: number;
  /** Failed connections, without timeouts. */
  errors: number;
  timeouts: number;
}

/** Sends requests on all connections at once, one after the other on each. */
export async function runLoad(
  url: string,
  connections: number,
  durationMs: number,
): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses = new Map<number, number>();
  const options = { url, connections, duration: durationMs / 1000, timeout: 20 };
  const { requests, errors, timeouts } = await new Promise<Result>((resolve, reject) => {
    const run = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    // Autocannon's own percentiles are whole milliseconds, too coarse for responses from memory.
    run.on('response', (_client, status, _bytes, tookMs) => {
      latencies.push(tookMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    process.once('SIGINT', run.stop);
    run.once('done', () => process.off('SIGINT', run.stop));
  });
  return {
    latenciesMs: Float64Array.from(latencies).sort(),
    statuses,
    requestsPerSecond: requests.average,
    errors: errors - timeouts,
    timeouts,
  };
}
