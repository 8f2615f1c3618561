import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface UncaughtErrorsDeps {
  log: Log;
  /** Adds one to the metric. */
  count: () => void;
  /** Ends the process in order, with exit code 1. */
  end: (reason: string) => void;
}

/**
 * The last resort of a process that serves many: what nobody caught is logged and counted, and the
 * process goes on. It still ends before it serves, or when memory is short. ADR 24 says why.
 * @returns a function that says that the process serves from now on
 */
export function outliveUncaughtErrors({ log, count, end }: UncaughtErrorsDeps): () => void {
  let isServing = false;
  const onError = (thrown: unknown) => {
    // Log and metric must not throw: that would end the process, whatever it serves.
    try {
      if (!isServing || isOutOfMemory(thrown)) {
        log.fatal({ err: asError(thrown) }, 'uncaught error');
        end('uncaught error');
        return;
      }
      count();
      log.error({ err: asError(thrown) }, 'uncaught error; the process goes on');
    } catch {}
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    isServing = true;
  };
}

/** Going on without memory would fail one request after the other. V8's own heap limit ends the process anyway. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'ENOMEM') return true;
  return error instanceof RangeError && /allocation failed|out of memory/i.test(error.message);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
