import { Hono } from 'hono';
import type { Metrics } from './metrics.ts';

/**
 * `/livez`, `/readyz` and `/metrics` of the ops port.
 * @param notReadyBecause undefined when ready, else the reason in one sentence
 */
export function probes(
  notReadyBecause: () => string | undefined,
  metrics: Pick<Metrics, 'text' | 'contentType'>,
): Hono {
  return new Hono()
    .get('/livez', (c) => c.text('alive\n'))
    .get('/readyz', (c) => {
      const reason = notReadyBecause();
      return reason === undefined ? c.text('ready\n') : c.text(`${reason}\n`, 503);
    })
    .get('/metrics', async (c) =>
      c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
    );
}
