import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublicServer, type PublicServer } from './public-server.ts';

let server: PublicServer;

beforeAll(async () => {
  server = createPublicServer(() => new Response('served'));
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => server.close({ drainMs: 0, graceMs: 0 }));

async function responseTo(lines: readonly string[]): Promise<string> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(Buffer.from(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`, 'latin1'));
  return await text(socket);
}

describe('the Host header', () => {
  it.each([
    ['a name', ['Host: cams.example.com']],
    ['a name with a port', ['Host: cams.example.com:8088']],
    ['a name of a container', ['host: my_api-1:80']],
    ['an address', ['HOST: 127.0.0.1:65535']],
    ['an IPv6 address', ['Host: [::1]:8088']],
    ['capitals', ['Host: LOCALHOST']],
  ])('may be %s', async (_, hosts) => {
    expect(await responseTo(['GET / HTTP/1.1', ...hosts])).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ['given twice', ['Host: a', 'Host: a']],
    ['given twice, with two values', ['Host: a', 'hOST: b']],
    ['given twice, once empty', ['Host: a', 'Host:']],
    ['missing', []],
    ['empty', ['Host:']],
    ['only spaces', ['Host:   ']],
    ['with userinfo', ['Host: user@a']],
    ['with a password', ['Host: user:secret@a']],
    ['with a comma', ['Host: a, b']],
    ['with a space', ['Host: a b']],
    ['with a path', ['Host: a/b']],
    ['with a query', ['Host: a?b']],
    ['with a fragment', ['Host: a#b']],
    ['with a backslash', ['Host: a\\b']],
    ['a URL', ['Host: http://a']],
    ['with an invalid port', ['Host: a:b']],
    ['with too high a port', ['Host: a:65536']],
    ['with two ports', ['Host: a:1:2']],
    ['a bare IPv6 address', ['Host: ::1']],
    ['half an IPv6 address', ['Host: [::1']],
    ['not an IPv6 address', ['Host: [a]']],
    ['not an IPv4 address', ['Host: 1.2.3.999']],
    ['with a broken escape', ['Host: a%zz']],
    ['not ASCII', ['Host: \xe9']],
    ['markup', ['Host: <script>']],
    ['quoted', ['Host: "a"']],
  ])('is rejected with a problem: %s', async (_, hosts) => {
    for (const version of hosts.length > 0 ? ['1.0', '1.1'] : ['1.1']) {
      const response = await responseTo([`GET / HTTP/${version}`, ...hosts]);
      const [head = '', body = ''] = response.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1.1 400 /);
      expect(head).toMatch(/^content-type: application\/problem\+json\r$/im);
      expect(head).toMatch(/^connection: close\r?$/im);
      expect(JSON.parse(body)).toMatchObject({
        status: 400,
        type: 'urn:lastframe:problem:bad-host',
      });
    }
  });

  it('may be missing in HTTP/1.0', async () => {
    expect(await responseTo(['GET / HTTP/1.0'])).toMatch(/^HTTP\/1.1 200 /);
  });
});

it('rejects an invalid request target with a problem', async () => {
  for (const target of ['/a\\b', 'http://', 'http://a b/', '*']) {
    const response = await responseTo([`GET ${target} HTTP/1.1`, 'Host: a']);
    expect(response).toMatch(/^HTTP\/1.1 400 [\s\S]*application\/problem\+json/);
  }
});
