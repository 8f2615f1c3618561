import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

const RESOLUTION_MS = 20;

/** Shows how late the event loop was since the last scrape. */
export function showEventLoopLag(metrics: Metrics): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // What it gives is the time between two ticks, and so never less than its resolution.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
  metrics.read('lastframe_event_loop_lag_seconds', () => {
    const { max } = delay;
    const [median, p99] = [delay.percentile(50), delay.percentile(99)];
    delay.reset();
    return [
      { labels: { percentile: '50' as const }, value: seconds(median) },
      { labels: { percentile: '99' as const }, value: seconds(p99) },
      { labels: { percentile: '100' as const }, value: seconds(max) },
    ];
  });
}
