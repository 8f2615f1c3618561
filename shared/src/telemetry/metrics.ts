import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import type { Source } from '../cameras/source.ts';
import type { ProcessName } from '../settings/variables.ts';
import {
  knownLabels,
  type LabelsOf,
  type MetricName,
  metricDefinitions,
} from './metric-definitions.ts';

/** One process's metrics: its own registry, made in `main.ts` and handed on as narrow functions. */
export interface Metrics {
  /** The function that it gives adds one. */
  counter<N extends MetricName<'counter'>>(name: N): (labels: LabelsOf<N>) => void;
  /** The function that it gives takes one value, in the unit of the name. */
  histogram<N extends MetricName<'histogram'>>(
    name: N,
  ): (value: number, labels: LabelsOf<N>) => void;
  /** A counter or gauge that is only looked at when it is scraped. */
  read<N extends MetricName<'counter' | 'gauge'>>(name: N, samples: Samples<NoInfer<N>>): void;
  /** Series of sources exist from the start, and go with their sources. */
  followSources(sources: readonly Source[]): void;
  /** All of it in Prometheus's text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** One series; no value is no series. */
export interface Sample<N extends MetricName> {
  labels: LabelsOf<N>;
  value: number | undefined;
}

/** What prom-client takes; each metric's own are checked by `LabelsOf`. */
type Labels = Record<string, string>;

/** Read at each scrape. */
type Samples<N extends MetricName> = () => Sample<N>[] | Promise<Sample<N>[]>;

export function createMetrics(process: ProcessName): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const bySource = new Map<MetricName, Counter | Histogram>();
  let sources = new Set<string>();
  const config = (name: MetricName) => {
    const { help, labels } = metricDefinitions[name];
    return { name, help, labelNames: Object.keys(labels), registers: [registry] };
  };
  const keep = (name: MetricName, metric: Counter | Histogram) => {
    if ('source' in metricDefinitions[name].labels) bySource.set(name, metric);
    for (const labels of knownLabels(name)) addZero(metric, labels);
  };
  const eachSeries = (
    source: string,
    work: (metric: Counter | Histogram, labels: Labels) => void,
  ) => {
    for (const [name, metric] of bySource) {
      for (const labels of knownLabels(name, { source })) work(metric, labels);
    }
  };
  const metrics: Metrics = {
    counter: (name) => {
      const counter = new Counter(config(name));
      keep(name, counter);
      return (labels) => counter.inc(labels as Labels);
    },
    histogram: (name) => {
      const buckets = [...metricDefinitions[name].buckets];
      const histogram = new Histogram({ ...config(name), buckets });
      keep(name, histogram);
      return (value, labels) => histogram.observe(labels as Labels, value);
    },
    read: (name, samples) => readWhenScraped(name, config(name), samples),
    followSources: (now) => {
      const next = new Set(now.map(sourceLabel));
      for (const source of sources) {
        if (!next.has(source)) eachSeries(source, (metric, labels) => metric.remove(labels));
      }
      for (const source of next) if (!sources.has(source)) eachSeries(source, addZero);
      sources = next;
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
  const labels = { process, version: packageJson.version, node: globalThis.process.version };
  metrics.read('lastframe_build_info', () => [{ labels, value: 1 }]);
  return metrics;
}

/**
 * A source as a label: its name, which may also be a whole URL pattern. Of that only the origin is
 * shown: what follows may hold a secret.
 */
export function sourceLabel({ name }: Pick<Source, 'name'>): string {
  return /^https?:\/\/[^/?#]*/.exec(name)?.[0] ?? name;
}

/** A series that is there from the start: who asks for a rate doesn't miss the first event. */
function addZero(metric: Counter | Histogram, labels: Labels): void {
  if (metric instanceof Histogram) metric.zero(labels);
  else metric.inc(labels, 0);
}

function readWhenScraped<N extends MetricName<'counter' | 'gauge'>>(
  name: N,
  config: { name: string; help: string; labelNames: string[]; registers: Registry[] },
  samples: Samples<N>,
): void {
  const isCounter = metricDefinitions[name].type === 'counter';
  const collect = async (metric: Counter | Gauge) => {
    const read = await samples();
    metric.reset();
    if (config.labelNames.length === 0) metric.remove();
    for (const { labels, value } of read) {
      if (value !== undefined) metric.inc(labels as Labels, value);
    }
  };
  const Metric = isCounter ? Counter : Gauge;
  new Metric({
    ...config,
    collect() {
      return collect(this);
    },
  });
}

type Connection = LabelsOf<'lastframe_redis_connected'>['connection'];

export interface RedisMetrics {
  /** A link was lost and is there again. */
  reconnected(name: string): void;
  /** Shows these from now on. */
  show(links: Partial<Record<Connection, { readonly isReady: boolean }>>): void;
}

/** Which connections to Redis are up, and how often each came back. */
export function createRedisMetrics(metrics: Metrics): RedisMetrics {
  const times = new Map<string, number>();
  return {
    reconnected: (name) => times.set(name, (times.get(name) ?? 0) + 1),
    show: (links) => {
      const all = Object.entries(links) as [Connection, { readonly isReady: boolean }][];
      metrics.read('lastframe_redis_connected', () =>
        all.map(([connection, { isReady }]) => ({
          labels: { connection },
          value: isReady ? 1 : 0,
        })),
      );
      metrics.read('lastframe_redis_reconnects_total', () =>
        all.map(([connection]) => ({ labels: { connection }, value: times.get(connection) ?? 0 })),
      );
    },
  };
}
