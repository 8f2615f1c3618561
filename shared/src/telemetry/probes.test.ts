import { expect, it } from 'vitest';
import { probes } from './probes.ts';

const metrics = { text: async () => '', contentType: 'text/plain' };

it.each([
  [undefined, undefined, 200, 'ready\n'],
  [undefined, 'no new cameras', 200, 'ready; no new cameras\n'],
  ['Redis is away', undefined, 503, 'Redis is away\n'],
  ['Redis is away', 'no new cameras', 503, 'Redis is away\n'],
])(
  'not ready because of %s, degraded because of %s: /readyz is %d',
  async (not, degraded, status, body) => {
    const answer = await probes(
      () => not,
      metrics,
      () => degraded,
    ).request('/readyz');
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  },
);
