import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  signal: AbortSignal;
  /** Called with the reason after a long wait, and again when the reason changes. */
  onWaiting: (reason: string) => void;
}

const POLL_EVERY_MS = 50;
const PATIENCE_MS = 8000;
const RESPONSE_TIMEOUT_MS = 1000;

/**
 * Resolves when no problem is left. Rejects only when the signal is aborted.
 * @param findProblem returns undefined when there is none; it may reject when nothing responds
 */
export async function untilReady(
  findProblem: () => Promise<string | undefined>,
  { signal, onWaiting }: WaitOptions,
): Promise<void> {
  const startedMs = performance.now();
  let reported = '';
  for (;;) {
    signal.throwIfAborted();
    const problem = await findProblem().catch(() => 'it does not respond yet');
    if (problem === undefined) return;
    if (problem !== reported && performance.now() - startedMs > PATIENCE_MS) {
      reported = problem;
      onWaiting(problem);
    }
    await sleep(POLL_EVERY_MS, undefined, { signal });
  }
}

/** Returns why a GET gets no 200 response; undefined if it gets one. */
export async function httpProblem(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) });
  const text = await response.text();
  return response.status === 200 ? undefined : text.trim() || `it responds with ${response.status}`;
}
