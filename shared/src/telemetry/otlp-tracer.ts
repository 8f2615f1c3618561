import { hostname } from 'node:os';
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import packageJson from '../../package.json' with { type: 'json' };
import type { Log } from '../process/log.ts';
import type { TracingConfig } from '../settings/config.ts';
import type { ProcessName } from '../settings/variables.ts';
import type { Details, Tracer } from './tracer.ts';

/** What a collector that is away can make us hold: these spans, and as many batches under way. */
const BOUNDS = { maxQueueSize: 4096, maxExportBatchSize: 512 };
const CONCURRENT_EXPORTS = 2;
const SEND_EVERY_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;

/** Only loaded when tracing is on; see `openTracer`. */
export function openOtlpTracer(config: TracingConfig, part: ProcessName, log: Log): Tracer {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new OTLPTraceExporter({
    url: config.tracesUrl,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: CONCURRENT_EXPORTS,
  });
  const provider = new TracerProvider({
    resource: resourceOf(config, part),
    sampler: samplerOf(config),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: heardExporter(exporter, log),
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        ...BOUNDS,
      }),
    ],
  });
  const tracer = provider.getTracer(packageJson.name, packageJson.version);
  return {
    span: (name, { kind, parent, links = [], details = {} }, work) => {
      const from = parent === undefined ? context.active() : contextOf(parent);
      const options = {
        kind: kind ? KINDS[kind] : SpanKind.INTERNAL,
        attributes: attributesOf(details),
        links: links.flatMap((link) => {
          const spanContext = parseTraceParent(link);
          return spanContext ? [{ context: spanContext }] : [];
        }),
      };
      const span = tracer.startSpan(name, options, from);
      return context.with(trace.setSpan(from, span), async () => {
        try {
          return await work((more) => span.setAttributes(attributesOf(more)));
        } catch (error) {
          // Not its message: that may name what only the operator of a camera may know.
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    apart: (work) => context.with(ROOT_CONTEXT, work),
    current: () => {
      const spanContext = trace.getSpanContext(context.active());
      if (!spanContext) return undefined;
      const { traceId, spanId, traceFlags } = spanContext;
      // Also when it is not sampled: who goes on must not begin a trace of his own.
      return `00-${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
    },
    close: () => provider.shutdown(),
  };
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** One that can't be read begins a trace of its own. */
function contextOf(traceparent: string): Context {
  const spanContext = parseTraceParent(traceparent);
  if (!spanContext) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, isRemote: true });
}

/** The names that OpenTelemetry has for what HTTP is about; the rest is ours. */
const HTTP_NAMES: Record<string, string> = {
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
};

function attributesOf(details: Details): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(details)) {
    const ours = `lastframe.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    if (value !== undefined) attributes[HTTP_NAMES[key] ?? ours] = value;
  }
  return attributes;
}

function resourceOf({ serviceName }: TracingConfig, part: ProcessName) {
  const ours = {
    'service.name': serviceName || `lastframe-${part}`,
    'service.version': packageJson.version,
    'service.instance.id': `${hostname()}-${process.pid}`,
  };
  const theirs = detectResources({ detectors: [resourceAttributesEnvDetector] });
  const named = serviceName ? resourceFromAttributes({ 'service.name': serviceName }) : null;
  return defaultResource().merge(resourceFromAttributes(ours)).merge(theirs).merge(named);
}

function samplerOf({ sampler, samplerRatio }: TracingConfig): Sampler {
  const [, isParentBased, kind] = /^(parentbased_)?(.*)$/.exec(sampler) ?? [];
  const root =
    kind === 'always_off'
      ? new AlwaysOffSampler()
      : kind === 'traceidratio'
        ? new TraceIdRatioBasedSampler(samplerRatio)
        : new AlwaysOnSampler();
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

/** One line when traces can't be sent, one when they can again; nothing ever waits for either. */
function heardExporter(exporter: SpanExporter, log: Log): SpanExporter {
  let isLost = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !isLost) log.warn({ reason: reasonOf(result.error) }, 'traces not sent');
        if (!failed && isLost) log.info('traces are sent again');
        isLost = failed;
        done(result);
      }),
    forceFlush: async () => await exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** No message: a collector's URL may have a key in it. */
function reasonOf(error: (Error & { code?: unknown }) | undefined): string {
  return String(error?.code ?? error?.name ?? 'unknown');
}
