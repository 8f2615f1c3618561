import { expect, it } from 'vitest';
import { layerOf, timeByLayer } from './cpu-profile.ts';

it.each([
  ['writev', '', 'kernel: reads, writes, connections'],
  ['internalConnect', 'node:net', 'kernel: reads, writes, connections'],
  ['writeHead', 'node:_http_server', 'Node: HTTP'],
  ['emit', 'node:events', 'Node: streams, sockets, timers, promises'],
  ['runMicrotasks', '', 'Node: streams, sockets, timers, promises'],
  ['(garbage collector)', '', 'garbage collection'],
  ['write', 'file:///x/node_modules/@redis/client/dist/index.js', 'Redis client'],
  ['add', '/x/node_modules/bullmq/dist/cjs/queue.js', 'BullMQ'],
  ['fetch', 'file:///x/node_modules/hono/dist/app.js', 'Hono and its server'],
  ['parse', 'file:///x/node_modules/zod/v4/core.js', 'other libraries'],
  ['send', 'file:///x/worker/src/camera-call/capture.ts', 'Lastframe'],
  ['(program)', '', 'else'],
])('counts %s of %s as %s', (functionName, url, layer) => {
  expect(layerOf(functionName, url)).toBe(layer);
});

it('sums up what ran by itself within the time, and not what was idle', () => {
  const node = (id: number, functionName: string, url = '') => ({
    id,
    callFrame: { functionName, url },
  });
  const profile = {
    startTime: 1_000_000,
    nodes: [node(1, '(idle)'), node(2, 'close'), node(3, 'run', 'file:///x/api/src/a.ts')],
    samples: [2, 1, 3, 2, 3],
    timeDeltas: [1000, 5000, 2000, 3000, 4000],
  };
  const times = timeByLayer(profile, { fromMs: 1002, toMs: 1011 });
  expect([...times]).toEqual([
    ['Lastframe', 2],
    ['kernel: reads, writes, connections', 3],
  ]);
});
