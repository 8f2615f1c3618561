import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublicServer, type PublicServer } from './public-server.ts';

let server: PublicServer;

function respond(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  if (pathname === '/chunks') return new Response(ReadableStream.from([Buffer.from('a')]));
  return new Response(pathname + search);
}

beforeAll(async () => {
  server = createPublicServer(respond);
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => server.close({ drainMs: 0, graceMs: 0 }));

/** Sends each text as its own segment, once the one before has a response; returns all of them. */
async function responseTo(...texts: string[]): Promise<string> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  const [first = '', second] = texts.map((text) => Buffer.from(text, 'latin1'));
  socket.write(first);
  if (second) socket.once('data', () => socket.writable && socket.write(second));
  return (await buffer(socket)).toString('latin1');
}

const bodyOf = (response: string) => response.slice(response.indexOf('\r\n\r\n') + 4);

describe('an HTTP/1.0 client', () => {
  it('needs no Host, and its connection is closed after the response', async () => {
    const response = await responseTo('GET /a?b=c HTTP/1.0\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(response).toMatch(/^connection: close\r$/im);
    expect(bodyOf(response)).toBe('/a?b=c');
  });

  it('may ask to keep the connection', async () => {
    const keep = 'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const response = await responseTo(keep, 'GET /b HTTP/1.0\r\n\r\n');
    expect(response).toMatch(/^connection: keep-alive\r$/im);
    expect(response).toMatch(/^content-length: 2\r$/im);
    expect(response).toMatch(/\/aHTTP\/1\.1 200 OK\r\n/);
    expect(response).toMatch(/\/b$/);
  });

  it.each(['', 'Connection: keep-alive\r\n'])(
    'never gets chunks, with the header %j',
    async (header) => {
      const response = await responseTo(`GET /chunks HTTP/1.0\r\n${header}\r\n`);
      expect(response).not.toMatch(/transfer-encoding/i);
      expect(response).toMatch(/^connection: close\r$/im);
      expect(bodyOf(response)).toBe('a');
    },
  );

  it('gets a head alone for HEAD', async () => {
    const response = await responseTo('HEAD /a HTTP/1.0\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(bodyOf(response)).toBe('');
  });

  it('gets problems in the same way', async () => {
    const response = await responseTo('GET * HTTP/1.0\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(response).toMatch(/^connection: close\r$/im);
    expect(JSON.parse(bodyOf(response))).toMatchObject({ status: 400 });
  });
});

describe('a request target with bytes that are not ASCII', () => {
  it.each([
    ['in UTF-8', '/caf\xc3\xa9?\xc3\xa9=\xc3\xa9', '/caf%C3%A9?%C3%A9=%C3%A9'],
    ['in latin1', '/caf\xe9?\xe9', '/caf%E9?%E9'],
    ['in half a character', '/\xc3', '/%C3'],
    ['beside escapes', '/%C3\xa9', '/%C3%A9'],
  ])('means its escaped form, %s', async (_, target, meaning) => {
    for (const version of ['1.0', '1.1']) {
      const response = await responseTo(`GET ${target} HTTP/${version}\r\nHost: a\r\n\r\n`);
      expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(bodyOf(response)).toBe(meaning);
    }
  });

  it('ends the connection, since only the first one can be read', async () => {
    const one = 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(await responseTo(one)).toMatch(/^connection: close\r$/im);
    const second = await responseTo('GET /a HTTP/1.1\r\nHost: a\r\n\r\n', one);
    expect(second).toMatch(
      /HTTP\/1\.1 400 [\s\S]*"the request target has a character .*percent-encode it"/,
    );
  });
});
