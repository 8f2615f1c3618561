import { Hono } from 'hono';

/**
 * `/livez` and `/readyz` of the ops port.
 * @param notReadyBecause undefined when ready, else the reason in one sentence
 */
export function probes(notReadyBecause: () => string | undefined): Hono {
  return new Hono()
    .get('/livez', (c) => c.text('alive\n'))
    .get('/readyz', (c) => {
      const reason = notReadyBecause();
      return reason === undefined ? c.text('ready\n') : c.text(`${reason}\n`, 503);
    });
}
