import autocannon from 'autocannon';

export interface LoadResult {
  /** Of all responses, ascending. */
  latenciesMs: Float64Array;
  /** Status → number of responses. */
  statuses: Map<number, number>;
  requestsPerSecond: number;
  /** Failed connections, without timeouts. */
  errors: number;
  timeouts: number;
}

/** Sends requests on all connections at once, one after the other on each. */
export function runLoad(url: string, connections: number, durationMs: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses = new Map<number, number>();
  return new Promise((resolve, reject) => {
    const options = { url, connections, duration: durationMs / 1000, timeout: 20 };
    const instance = autocannon(options, (error, result) => {
      process.off('SIGINT', instance.stop);
      if (error) return reject(error);
      resolve({
        latenciesMs: Float64Array.from(latencies).sort(),
        statuses,
        requestsPerSecond: result.requests.average,
        errors: result.errors - result.timeouts,
        timeouts: result.timeouts,
      });
    });
    // Autocannon's own percentiles are whole milliseconds, too coarse for responses from memory.
    instance.on('response', (_client, status: number, _bytes: number, tookMs: number) => {
      latencies.push(tookMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    process.once('SIGINT', instance.stop);
  });
}
