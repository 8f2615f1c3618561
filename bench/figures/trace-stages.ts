import type { ReceivedSpan } from '../../testing/checks/otlp-receiver.ts';
import { DELAY_MS } from '../load/watched-fleet.ts';

/** A span's name and one of its ends. */
type Moment = [name: string, end: 'startMs' | 'endMs'];

interface Stage {
  what: string;
  from: Moment;
  to: Moment;
  /** Time that the camera itself takes, which does not count. */
  cameraMs?: number;
}

/** The times of a refresh, in their order. */
const STAGES: readonly Stage[] = [
  { what: 'queue', from: ['refresh requested', 'endMs'], to: ['refresh', 'startMs'] },
  {
    what: 'job started → permit requested',
    from: ['refresh', 'startMs'],
    to: ['permit', 'startMs'],
  },
  { what: 'permit', from: ['permit', 'startMs'], to: ['permit', 'endMs'] },
  { what: 'connect', from: ['connect', 'startMs'], to: ['connect', 'endMs'] },
  { what: 'connected → request sent', from: ['connect', 'endMs'], to: ['call', 'startMs'] },
  {
    what: 'answer, without the camera’s 2 s',
    from: ['call', 'startMs'],
    to: ['call', 'endMs'],
    cameraMs: DELAY_MS,
  },
  { what: 'finish', from: ['call', 'endMs'], to: ['store', 'startMs'] },
  { what: 'store', from: ['store', 'startMs'], to: ['store', 'endMs'] },
  { what: 'announced → read', from: ['store', 'endMs'], to: ['frame read', 'endMs'] },
];

/** The spans of one refresh. */
export type Trace = readonly ReceivedSpan[];

/** Returns the traces of refreshes whose job started in this time (Unix time). */
export function refreshTraces(
  spans: readonly ReceivedSpan[],
  fromMs: number,
  toMs: number,
): Trace[] {
  const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()];
  return traces.filter((trace) => {
    const startMs = momentOf(trace, ['refresh', 'startMs']);
    return startMs !== undefined && startMs >= fromMs && startMs < toMs;
  });
}

/** Returns how long each stage took, in milliseconds, in the traces that have it. */
export function stageTimes(traces: readonly Trace[]): { what: string; timesMs: number[] }[] {
  return STAGES.map(({ what, from, to, cameraMs = 0 }) => {
    const timesMs = traces.flatMap((trace) => {
      const fromMs = momentOf(trace, from);
      const toMs = momentOf(trace, to);
      return fromMs === undefined || toMs === undefined ? [] : [toMs - fromMs - cameraMs];
    });
    return { what, timesMs };
  });
}

/** Of several spans with this name, the last counts, such as the read of the slowest process. */
function momentOf(trace: Trace, [name, end]: Moment): number | undefined {
  const named = trace.filter((span) => span.name === name);
  return named.length === 0 ? undefined : Math.max(...named.map((span) => span[end]));
}
