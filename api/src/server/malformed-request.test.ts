import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPublicServer, type PublicServer } from './public-server.ts';

let server: PublicServer;
let port = 0;
let answer = async () => new Response('hello');

beforeEach(async () => {
  answer = async () => new Response('hello');
  server = createPublicServer(() => answer());
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
  port = (server.server.address() as AddressInfo).port;
});
afterEach(() => server.close({ drainMs: 0, graceMs: 0 }));

/** Everything that comes back for these bytes until the server hangs up. */
function sendRaw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

const HOST = 'Host: x\r\n';

it.each([
  ['no HTTP', 'nonsense\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two lengths', `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
  ['a head that is too large', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ['a target that is too large', `GET /?${'x'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
])('%s is answered with a problem, and the connection is over', async (_, bytes, status) => {
  const answered = await sendRaw(bytes);
  expect(answered).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  if (!answered.includes('problem+json')) return; // Node's own, for a missing Host
  expect(answered).toMatch(/^cache-status: lastframe; detail=[a-z-]+\r$/im);
  expect(answered).toMatch(/^connection: close\r$/im);
  const [head = '', body = ''] = answered.split('\r\n\r\n');
  expect(JSON.parse(body)).toMatchObject({ status });
  expect(head).toMatch(new RegExp(`^content-length: ${body.length}\r$`, 'im'));
});

it('a long url of an image, percent-encoded to the last byte, is heard', async () => {
  const target = `/images?url=${'%41'.repeat(4096)}`;
  const close = 'Connection: close\r\n';
  expect(await sendRaw(`GET ${target} HTTP/1.1\r\n${HOST}${close}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
});

it('nothing is written into an answer that is under way', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  answer = () => promise;
  const answered = sendRaw(`GET / HTTP/1.1\r\n${HOST}\r\nnonsense\r\n\r\n`);
  await new Promise((done) => server.server.once('clientError', done));
  resolve(new Response('hello'));
  expect(await answered).not.toContain('problem');
});
