import type { Log } from '../process/log.ts';
import type { Details, SpanOptions, Tracer } from './tracer.ts';

export interface StepOptions extends SpanOptions {
  /** The span's name, if it must differ from others of the step. */
  spanName?: string | undefined;
}

/**
 * Runs one step of the data flow, with a `debug` line when it ends, and a span if tracing is on.
 * Starts the work at once, and passes on its result or error.
 */
export type Step = <T>(
  name: string,
  options: StepOptions,
  work: () => Promise<T>,
  /** Returns the details of the result. */
  detailsOf?: (result: T) => Details,
) => Promise<T>;

/** Costs nothing if debug logging and tracing are off. */
export function createStep(log: Log, tracer: Tracer | undefined): Step {
  const isLogged = log.isLevelEnabled('debug');
  if (!isLogged && !tracer) return (_name, _options, work) => work();
  return async (name, options, work, detailsOf = () => ({})) => {
    const run = async (note: (details: Details) => void) => {
      const beganMs = performance.now();
      const record = (outcome: Details) => {
        note(outcome);
        const ms = Math.round(performance.now() - beganMs);
        const trace = tracer?.currentTraceparent()?.split('-')[1];
        if (isLogged) log.debug({ ...options.details, ...outcome, ms, trace }, name);
      };
      try {
        const result = await work();
        record(detailsOf(result));
        return result;
      } catch (error) {
        record({ error: error instanceof Error ? error.name : 'unknown' });
        throw error;
      }
    };
    // A part outside a trace would start a useless trace of its own.
    const isPart = options.parent === undefined && tracer?.currentTraceparent() === undefined;
    return tracer && !isPart
      ? await tracer.span(options.spanName ?? name, options, run)
      : await run(() => {});
  };
}
