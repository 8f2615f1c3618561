import { Hono } from 'hono';
import type { Metrics } from './metrics.ts';

/**
 * Serves `/livez`, `/readyz` and `/metrics` on the ops port.
 * @param notReadyBecause undefined when ready, else the reason in one sentence
 * @param degradedBecause what a ready process cannot do now, in one sentence
 */
export function probes(
  notReadyBecause: () => string | undefined,
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  degradedBecause: () => string | undefined = () => undefined,
): Hono {
  let pendingText: Promise<string> | undefined;
  /** Concurrent scrapes share one text. */
  const metricsText = () => {
    pendingText ??= metrics.text().finally(() => {
      pendingText = undefined;
    });
    return pendingText;
  };
  return new Hono()
    .get('/livez', (c) => c.text('alive\n'))
    .get('/readyz', (c) => {
      const reason = notReadyBecause();
      if (reason !== undefined) return c.text(`${reason}\n`, 503);
      const degraded = degradedBecause();
      return c.text(degraded === undefined ? 'ready\n' : `ready; ${degraded}\n`);
    })
    .get('/metrics', async (c) =>
      c.body(await metricsText(), 200, { 'Content-Type': metrics.contentType }),
    );
}
