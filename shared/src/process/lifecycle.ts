import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** One step of the shutdown. Steps run in order; one that fails or hangs does not stop the next. */
export interface ClosingStep {
  name: string;
  graceMs: number;
  close: () => Promise<unknown>;
}

/**
 * Shuts the process down gracefully on SIGTERM or SIGINT, with exit code 0; a second signal ends
 * it at once.
 * @returns a function that shuts it down in the same way, with exit code 1
 */
export function closeOnSignal(log: Log, steps: readonly ClosingStep[]): (reason: string) => void {
  let closing = false;
  const close = async (reason: string, exitCode: number) => {
    if (closing) process.exit(exitCode || 1);
    closing = true;
    log.info({ reason }, 'closing');
    await runSteps(log, steps);
    log.info('closed');
    process.exit(exitCode);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => close(signal, 0));
  return (reason) => void close(reason, 1);
}

/** Exported for tests. */
export async function runSteps(log: Log, steps: readonly ClosingStep[]): Promise<void> {
  for (const { name, graceMs, close } of steps) {
    const started = performance.now();
    try {
      await withinGrace(close(), graceMs);
      log.debug({ step: name, ms: Math.round(performance.now() - started) }, 'closing step done');
    } catch (error) {
      log.warn({ step: name, reason: messageOf(error) }, 'closing step failed');
    }
  }
}

async function withinGrace(work: Promise<unknown>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${graceMs} ms`)), graceMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
