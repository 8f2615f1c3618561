import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';

/** Servers that are not cameras. Each treats all connections alike and never reads. */
const hostile: Record<string, (socket: Socket) => void> = {
  banner: (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
  mail: (socket) => socket.end('220 mail.test ESMTP\r\n'),
  garbage: (socket) => socket.write(Buffer.alloc(1000, 0xfe)),
  answer: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGIF8'),
  reset: (socket) => socket.resetAndDestroy(),
  'late reset': (socket) => {
    socket.write('220 x\r\n', () => socket.resetAndDestroy());
  },
};

const servers: Server[] = [];
const urls: string[] = [];
let fleet: Fleet;

beforeAll(async () => {
  for (const serve of Object.values(hostile)) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {}).resume();
      serve(socket);
    });
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    for (const scheme of ['http', 'https']) {
      for (let n = 0; n < 5; n += 1) urls.push(`${scheme}://127.0.0.1:${port}/${n}`);
    }
  }
  const env = { ALLOWED_SOURCES: 'http://127.0.0.1:*/*,https://127.0.0.1:*/*', COLD_WAIT: '20s' };
  fleet = await startFleet({ env });
});

afterAll(async () => {
  for (const server of servers) server.close();
  await fleet?.checkAndStop();
});

it('servers that send before a request end no worker, and other cameras are still refreshed', async () => {
  const [api] = fleet.apis;
  const [worker] = fleet.workers;
  if (!api || !worker) throw new Error('no fleet');
  const good = fleet.slow.camera('good');
  expect((await api.image(good)).status).toBe(200);
  const before = (await fleet.slow.calls()).length;
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(urls.map((url) => api.image(url)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]));
    const [first] = answers;
    expect(await first?.json()).toMatchObject({ detail: expect.stringContaining('HTTP') });
    expect((await api.image(good)).status).toBe(200);
  }
  await expect
    .poll(
      async () => {
        await api.image(good);
        return (await fleet.slow.calls()).length;
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(before + 1);
  expect(worker.hasEnded).toBe(false);
  const metrics = await (await fetch(`${worker.opsUrl}/metrics`)).text();
  // Every error was caught: none reached the handler of last resort.
  expect(metrics).toMatch(/^lastframe_uncaught_errors_total 0$/m);
  expect(metrics).toMatch(/^lastframe_upstream_calls_total\{.*outcome="unreachable".*\} [1-9]/m);
});
