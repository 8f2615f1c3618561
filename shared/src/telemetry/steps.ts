import type { Log } from '../process/log.ts';
import type { Details, SpanOptions, Tracer } from './tracer.ts';

export interface StepOptions extends SpanOptions {
  /** Of the span, where it is to be told apart from others of the step. */
  spanName?: string | undefined;
}

/**
 * Runs one step of the data flow so that it can be followed: a line at `debug` when it has ended,
 * and a span when tracing is on. Work begins at once, and its result or error is passed on.
 */
export type Step = <T>(
  name: string,
  options: StepOptions,
  work: () => Promise<T>,
  /** What its result says. */
  said?: (result: T) => Details,
) => Promise<T>;

/** Costs nothing where nobody follows. */
export function createStep(log: Log, tracer: Tracer | undefined): Step {
  const isLogged = log.isLevelEnabled('debug');
  if (!isLogged && !tracer) return (_name, _options, work) => work();
  return async (name, options, work, said = () => ({})) => {
    const run = async (note: (details: Details) => void) => {
      const beganMs = performance.now();
      const tell = (outcome: Details) => {
        note(outcome);
        const ms = Math.round(performance.now() - beganMs);
        const trace = tracer?.current()?.split('-')[1];
        if (isLogged) log.debug({ ...options.details, ...outcome, ms, trace }, name);
      };
      try {
        const result = await work();
        tell(said(result));
        return result;
      } catch (error) {
        tell({ error: error instanceof Error ? error.name : 'unknown' });
        throw error;
      }
    };
    // A mere part of something that is not followed would be a trace of its own, and tell nothing.
    const isPart = options.parent === undefined && tracer?.current() === undefined;
    return tracer && !isPart
      ? await tracer.span(options.spanName ?? name, options, run)
      : await run(() => {});
  };
}
