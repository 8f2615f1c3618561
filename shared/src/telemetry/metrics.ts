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

/** One process's metrics: its own registry, created on startup, behind narrow functions. */
export interface Metrics {
  /** Returns a function that adds one. */
  counter<N extends MetricName<'counter'>>(name: N): (labels: LabelsOf<N>) => void;
  /** Returns a function that records one value, in the unit of the name. */
  histogram<N extends MetricName<'histogram'>>(
    name: N,
  ): (value: number, labels: LabelsOf<N>) => void;
  /** Exposes a counter or gauge that is read only when scraped. */
  read<N extends MetricName<'counter' | 'gauge'>>(name: N, samples: Samples<NoInfer<N>>): void;
  /** The same for one without labels. */
  readValue(name: MetricName<'counter' | 'gauge'>, value: () => number | undefined): void;
  /** Creates the series of new sources at zero, and removes those of removed sources. */
  setSources(sources: readonly Source[]): void;
  /** Returns all metrics in Prometheus's text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** One series; omitted if `value` is undefined. */
export interface Sample<N extends MetricName> {
  labels: LabelsOf<N>;
  value: number | undefined;
}

/** Labels as prom-client accepts them; `LabelsOf` checks those of each metric. */
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
  const registerSeries = (name: MetricName, metric: Counter | Histogram) => {
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
      registerSeries(name, counter);
      return (labels) => counter.inc(labels as Labels);
    },
    histogram: (name) => {
      const buckets = [...metricDefinitions[name].buckets];
      const histogram = new Histogram({ ...config(name), buckets });
      registerSeries(name, histogram);
      return (value, labels) => histogram.observe(labels as Labels, value);
    },
    read: (name, samples) => readWhenScraped(name, config(name), samples),
    readValue: (name, value) =>
      readWhenScraped(name, config(name), () => [
        { labels: {}, value: value() } as Sample<typeof name>,
      ]),
    setSources: (now) => {
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
 * Returns a source's name as a label. For a URL pattern it returns only the origin, because the
 * rest may contain a secret.
 */
export function sourceLabel({ name }: Pick<Source, 'name'>): string {
  return /^https?:\/\/[^/?#]*/.exec(name)?.[0] ?? name;
}

/** Creates a series at zero, so that `rate()` sees the first event. */
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
  /** Counts a link that was lost and is up again. */
  countReconnect(name: string): void;
  /** Exposes these links from now on. */
  exposeLinks(links: Partial<Record<Connection, { readonly isReady: boolean }>>): void;
}

/** Exposes which connections to Redis are up, and how often each has reconnected. */
export function createRedisMetrics(metrics: Metrics): RedisMetrics {
  const counts = new Map<string, number>();
  return {
    countReconnect: (name) => counts.set(name, (counts.get(name) ?? 0) + 1),
    exposeLinks: (links) => {
      const all = Object.entries(links) as [Connection, { readonly isReady: boolean }][];
      metrics.read('lastframe_redis_connected', () =>
        all.map(([connection, { isReady }]) => ({
          labels: { connection },
          value: isReady ? 1 : 0,
        })),
      );
      metrics.read('lastframe_redis_reconnects_total', () =>
        all.map(([connection]) => ({ labels: { connection }, value: counts.get(connection) ?? 0 })),
      );
    },
  };
}
