import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { createOpsServer } from './ops-server.ts';

async function start(max: number) {
  const server = createOpsServer((req, res) => {
    if (req.url === '/hangs') res.write('begun');
    else res.end('alive\n');
  }, max);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const open = async (sent: string) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(sent);
    return socket;
  };
  return { server, open };
}

const HALF_A_HEAD = 'GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ';
const PROBE = 'GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

it('a probe is served amid a thousand slow requests, of which a limited number stay open', async () => {
  const { server, open } = await start(20);
  for (let n = 0; n < 1000; n += 1) {
    await open(HALF_A_HEAD);
    if (n % 100 === 0) expect(await text(await open(PROBE))).toMatch(/alive/);
  }
  expect(await text(await open(PROBE))).toMatch(/alive/);
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  await expect.poll(connections).toBeLessThanOrEqual(20);
});

it('a response that has begun is not cut off for new connections, even if it holds the last place', async () => {
  const { open } = await start(3);
  const hanging = await open('GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n');
  const [begun] = (await once(hanging, 'data')) as [Buffer];
  expect(begun.toString()).toMatch(/^HTTP\/1.1 200 /);
  for (let n = 0; n < 10; n += 1) await open(HALF_A_HEAD);
  expect(await text(await open(PROBE))).toMatch(/alive/);
  expect(hanging.destroyed).toBe(false);
});

it('a kept-alive connection is reused until others need its place', async () => {
  const { open } = await start(2);
  const kept = await open('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  kept.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  const closed = once(kept, 'close');
  await open(HALF_A_HEAD);
  await open(HALF_A_HEAD);
  await closed;
});

it('a connection that pipelines without reading is closed', async () => {
  const { open } = await start(20);
  const greedy = await open('GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100));
  greedy.resume();
  await once(greedy, 'close');
  expect(await text(await open(PROBE))).toMatch(/alive/);
});
