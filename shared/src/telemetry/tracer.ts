/** Details of a step for its log line and span: identifiers and outcomes, never a URL. */
export type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** As the parent of a span: starts a new trace. */
export const NEW_TRACE = '';

export interface SpanOptions {
  kind?: 'server' | 'producer' | 'consumer' | 'client' | undefined;
  /** The `traceparent` of its cause; by default the active span, if any. */
  parent?: string | undefined;
  /** `traceparent`s of further causes. */
  links?: readonly string[] | undefined;
  details?: Details | undefined;
}

/** The part of OpenTelemetry that the data flow needs. */
export interface Tracer {
  /** Runs work as a span, at once; `note` adds details to the span. */
  span<T>(
    name: string,
    options: SpanOptions,
    work: (note: (details: Details) => void) => Promise<T>,
  ): Promise<T>;
  /** Runs work, and everything it starts, outside any span. */
  withoutSpan(work: () => void): void;
  /** Returns the W3C `traceparent` of the active span, to continue the trace elsewhere. */
  currentTraceparent(): string | undefined;
  /** Sends the remaining spans. */
  close(): Promise<void>;
}
