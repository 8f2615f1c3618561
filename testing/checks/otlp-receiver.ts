import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { startServer } from '../running-server.ts';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  /** As numbered by OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  service: string;
  /** Unix time. */
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  /** Span ids. */
  links: string[];
}

/** Receives traces over HTTP as JSON, like a collector. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything received, as text. */
  readonly text: string;
  close(): Promise<void>;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface OtlpSpan
  extends Pick<ReceivedSpan, 'traceId' | 'spanId' | 'parentSpanId' | 'name' | 'kind'> {
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  links?: { spanId: string }[];
}
interface OtlpTraces {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (req, res) => {
    const body = (await json(req)) as OtlpTraces;
    bodies.push(JSON.stringify(body));
    if (req.url === '/v1/traces') spans.push(...spansOf(body));
    res.setHeader('Content-Type', 'application/json').end('{}');
  });
  const { port, close } = await startServer(server);
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    get text() {
      return bodies.join('\n');
    },
    close,
  };
}

function spansOf({ resourceSpans }: OtlpTraces): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        parentSpanId: span.parentSpanId || undefined,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        service: String(valuesOf(resource.attributes)['service.name']),
        attributes: valuesOf(span.attributes ?? []),
        links: (span.links ?? []).map(({ spanId }) => spanId),
      })),
    ),
  );
}

const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
