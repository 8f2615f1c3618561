import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPublicServer, type PublicServer } from './public-server.ts';

let server: PublicServer;
let port = 0;
let respond = async () => new Response('hello');

beforeEach(async () => {
  respond = async () => new Response('hello');
  server = createPublicServer(() => respond());
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
  port = (server.server.address() as AddressInfo).port;
});
afterEach(() => server.close({ drainMs: 0, graceMs: 0 }));

/** Returns everything that the server sends back for these bytes until it hangs up. */
function sendRaw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

const HOST = 'Host: x\r\n';

it.each([
  ['nonsense', 'nonsense\r\n\r\n', 400],
  ['a missing Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two lengths', `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
  ['too large a head', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ['too long a target', `GET /?${'x'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
])('responds to %s with a problem and closes the connection', async (_, bytes, status) => {
  const response = await sendRaw(bytes);
  expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  if (!response.includes('problem+json')) return; // Node's own, for a missing Host
  expect(response).toMatch(/^cache-status: lastframe; detail=[a-z-]+\r$/im);
  expect(response).toMatch(/^connection: close\r$/im);
  const [head = '', body = ''] = response.split('\r\n\r\n');
  expect(JSON.parse(body)).toMatchObject({ status });
  expect(head).toMatch(new RegExp(`^content-length: ${body.length}\r$`, 'im'));
});

it('accepts the longest image URL, with every byte percent-encoded', async () => {
  const target = `/images?url=${'%41'.repeat(4096)}`;
  const close = 'Connection: close\r\n';
  expect(await sendRaw(`GET ${target} HTTP/1.1\r\n${HOST}${close}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
});

it('writes nothing into a response that is under way', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  respond = () => promise;
  const response = sendRaw(`GET / HTTP/1.1\r\n${HOST}\r\nnonsense\r\n\r\n`);
  await new Promise((done) => server.server.once('clientError', done));
  resolve(new Response('hello'));
  expect(await response).not.toContain('problem');
});
