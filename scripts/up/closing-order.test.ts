import { expect, test } from 'vitest';
import { stopInOrder } from './closing-order.ts';

test('stops apis first and Redis last, each kind after the previous one has ended', async () => {
  const events: string[] = [];
  const running = ['redis', 'slow-server', 'worker', 'api', 'api'].map((kind) => ({
    kind,
  }));
  await stopInOrder(running, async ({ kind }) => {
    events.push(`${kind} stops`);
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${kind} ended`);
  });
  expect(events).toEqual([
    ...['api stops', 'api stops', 'api ended', 'api ended'],
    ...['worker stops', 'worker ended', 'slow-server stops', 'slow-server ended'],
    ...['redis stops', 'redis ended'],
  ]);
});
