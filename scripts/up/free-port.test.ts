import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, isFree } from './free-port.ts';

async function listening(options: { host: string; reusePort?: boolean }) {
  const server = createServer().listen({ port: 0, ...options });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test.each([
  ['every address', { host: '0.0.0.0' }],
  ['loopback', { host: '127.0.0.1' }],
  ['every address by processes that share it', { host: '0.0.0.0', reusePort: true }],
])('a port in use on %s is not free', async (_where, options) => {
  const { port, close } = await listening(options);
  expect(await isFree(port)).toBe(false);
  expect(await freePort(port)).not.toBe(port);
  close();
});

test('a port not in use is free, and preferred', async () => {
  const { port, close } = await listening({ host: '127.0.0.1' });
  close();
  expect(await isFree(port)).toBe(true);
  expect(await freePort(port)).toBe(port);
});
