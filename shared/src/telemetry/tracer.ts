/** What is told of a step, in its log line and its span: identifiers and outcomes, never a URL. */
export type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** As the parent of a span: it belongs to nothing that runs here. */
export const NEW_TRACE = '';

export interface SpanOptions {
  kind?: 'server' | 'producer' | 'consumer' | 'client' | undefined;
  /** The `traceparent` of what caused it; else it belongs to the span that runs here, if any. */
  parent?: string | undefined;
  /** `traceparent`s of what else caused it. */
  links?: readonly string[] | undefined;
  details?: Details | undefined;
}

/** OpenTelemetry, as narrow as the flow needs it. */
export interface Tracer {
  /** Runs work as a span, at once; `note` adds to it what comes out. */
  span<T>(
    name: string,
    options: SpanOptions,
    work: (note: (details: Details) => void) => Promise<T>,
  ): Promise<T>;
  /** Runs work so that it, and what it sets off, belongs to no span. */
  apart(work: () => void): void;
  /** The `traceparent` (W3C) of the span that runs here, for whoever goes on elsewhere. */
  current(): string | undefined;
  /** Sends what is left. */
  close(): Promise<void>;
}
