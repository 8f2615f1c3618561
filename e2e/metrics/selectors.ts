import { allMetrics } from '@lastframe/shared/telemetry/metric-definitions';

/** Labels that Prometheus adds, and that of a histogram's buckets. */
const FOREIGN_LABELS = ['namespace', 'job', 'instance', 'le'];
/** The metrics of prom-client itself that we use. */
const FOREIGN_METRICS = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
];

/** Returns the metrics, labels and values of a PromQL expression that no process exports. */
export function unknownSelectors(expr: string): string[] {
  const selectors = expr.matchAll(/\b((?:lastframe|process|nodejs)_\w+)(?:\{([^}]*)\})?/g);
  return [...selectors].flatMap(([, name = '', matchers = '']) => unknownIn(name, matchers));
}

function unknownIn(name: string, matchers: string): string[] {
  if (FOREIGN_METRICS.includes(name)) return [];
  const metric = allMetrics.find(
    (known) =>
      known.name === name ||
      (known.type === 'histogram' && name.replace(/_(bucket|sum|count)$/, '') === known.name),
  );
  if (!metric) return [name];
  return [...matchers.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)].flatMap(
    ([, label = '', , value = '']) => {
      if (FOREIGN_LABELS.includes(label)) return [];
      const known = metric.labels[label];
      if (known === undefined) return [`${name}{${label}}`];
      if (typeof known === 'string') return [];
      const unknown = value.split('|').filter((one) => !known.includes(one));
      return unknown.map((one) => `${name}{${label}="${one}"}`);
    },
  );
}
