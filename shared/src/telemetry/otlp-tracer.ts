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

/** What is held while the collector is unreachable: these spans, and the batches in transit. */
const BOUNDS = { maxQueueSize: 4096, maxExportBatchSize: 512 };
const CONCURRENT_EXPORTS = 2;
const SEND_EVERY_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;

/** Loaded only when tracing is on. */
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
        exporter: loggingExporter(exporter, log),
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
          // Not its message, which may contain what only a camera's operator may know.
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    withoutSpan: (work) => context.with(ROOT_CONTEXT, work),
    currentTraceparent: () => {
      const spanContext = trace.getSpanContext(context.active());
      if (!spanContext) return undefined;
      const { traceId, spanId, traceFlags } = spanContext;
      // Even if it is not sampled: a continuation must not start a trace of its own.
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

/** A malformed traceparent starts a new trace. */
function contextOf(traceparent: string): Context {
  const spanContext = parseTraceParent(traceparent);
  if (!spanContext) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, isRemote: true });
}

/** OpenTelemetry's names for HTTP attributes; all others are ours. */
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

/** Logs when sending traces fails, and when it works again. Nothing waits for either. */
function loggingExporter(exporter: SpanExporter, log: Log): SpanExporter {
  let isLost = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !isLost)
          log.warn({ reason: reasonOf(result.error) }, 'sending traces failed');
        if (!failed && isLost) log.info('traces are being sent again');
        isLost = failed;
        done(result);
      }),
    forceFlush: async () => await exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Omits the message: a collector's URL may contain a key. */
function reasonOf(error: (Error & { code?: unknown }) | undefined): string {
  return String(error?.code ?? error?.name ?? 'unknown');
}
