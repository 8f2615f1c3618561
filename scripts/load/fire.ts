import autocannon from 'autocannon';

export interface Shots {
  /** Of all answers, ascending. */
  latenciesMs: Float64Array;
  /** Status → answers. */
  statuses: Map<number, number>;
  requestsPerSecond: number;
  /** Connections that failed, timeouts not counted. */
  errors: number;
  timeouts: number;
}

/** Sends requests on all connections at once, each connection one after the other. */
export function fire(url: string, connections: number, durationMs: number): Promise<Shots> {
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
    // Autocannon's own percentiles are whole milliseconds: too coarse for answers from memory.
    instance.on('response', (_client, status: number, _bytes: number, tookMs: number) => {
      latencies.push(tookMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    process.once('SIGINT', instance.stop);
  });
}
