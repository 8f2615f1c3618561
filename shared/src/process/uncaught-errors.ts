import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface UncaughtErrorsDeps {
  log: Log;
  /** Adds one to the metric. */
  count: () => void;
  /** Shuts the process down gracefully, with exit code 1. */
  end: (reason: string) => void;
}

/**
 * Logs and counts uncaught errors and keeps the process running, because it serves many clients.
 * Before it serves, or when memory is short, such an error still ends it. ADR 24 says why.
 * @returns a function to call once the process serves
 */
export function surviveUncaughtErrors({ log, count, end }: UncaughtErrorsDeps): () => void {
  let isServing = false;
  const onError = (thrown: unknown) => {
    // Log and metric must not throw: that would end the process.
    try {
      if (!isServing || isOutOfMemory(thrown)) {
        log.fatal({ err: asError(thrown) }, 'uncaught error');
        end('uncaught error');
        return;
      }
      count();
      log.error({ err: asError(thrown) }, 'uncaught error; the process continues');
    } catch {}
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    isServing = true;
  };
}

/** Without memory, request after request would fail. V8's heap limit ends the process anyway. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'ENOMEM') return true;
  return error instanceof RangeError && /allocation failed|out of memory/i.test(error.message);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
