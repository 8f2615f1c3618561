import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { image } from '../../worker/src/test-support/images.ts';
import { type RawResponse, sendRawRequest } from './ask.ts';
import { httpResponse, type RawCamera, startRawCamera } from './raw-camera.ts';

let camera: RawCamera;
let fleet: Fleet;

beforeAll(async () => {
  camera = await startRawCamera();
  fleet = await startFleet({
    intervalMs: 60_000,
    env: {
      ALLOWED_SOURCES: `${camera.url}/*`,
      MAX_FRAME_SIZE: '1MiB',
      UPSTREAM_TIMEOUT: '4s',
      COLD_WAIT: '20s',
    },
  });
});

afterAll(async () => {
  await fleet?.stop();
  await camera?.close();
});

const jpeg = image('jpeg');
const SCRIPT = '<html><body><script>alert(document.domain)</script>';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const MARK = 'x-of-the-camera';

/** All headers that Lastframe may send. */
const OUR_HEADERS = new Set([
  'accept-ranges',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'age',
  'cache-control',
  'cache-status',
  'connection',
  'content-length',
  'content-range',
  'content-security-policy',
  'content-type',
  'cross-origin-resource-policy',
  'date',
  'etag',
  'keep-alive',
  'last-modified',
  'proxy-status',
  'retry-after',
  'transfer-encoding',
  'vary',
  'via',
  'x-content-type-options',
  'x-served-by',
]);

let paths = 0;

/** Returns what a viewer gets from a camera that sends this response. */
async function view(answer: Buffer | ((socket: Socket) => void), headers: string[] = []) {
  paths += 1;
  const url = camera.respondWith(`/${paths}`, answer);
  const seen = await sendRawRequest(
    fleet.apis[0]?.url ?? '',
    `/images?url=${encodeURIComponent(url)}`,
    headers,
  );
  expectOnlyOurHeaders(seen);
  return seen;
}

function expectOnlyOurHeaders({ head }: RawResponse): void {
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(':')[0]?.toLowerCase() ?? '');
  expect(names.filter((name) => !OUR_HEADERS.has(name))).toEqual([]);
  expect(head).not.toContain(MARK);
}

function expectRefused(seen: RawResponse, status = 502): void {
  expect(seen.status).toBe(status);
  expect(seen.head).toMatch(/^content-type: application\/problem\+json\r?$/im);
  expect(seen.head).toMatch(/^x-content-type-options: nosniff\r?$/im);
  expect(seen.body).not.toMatch(/script|127\.0\.0\.1/);
  expect(seen.body).not.toContain(MARK);
}

function expectServedAs(seen: RawResponse, type: string): void {
  expect(seen.status).toBe(200);
  expect(seen.head).toMatch(new RegExp(`^content-type: ${type}\\r?$`, 'im'));
  expect(seen.head).toMatch(/^x-content-type-options: nosniff\r?$/im);
  expect(seen.head).toMatch(/^content-security-policy: default-src 'none'; sandbox\r?$/im);
  expect(seen.head).not.toMatch(/content-disposition/i);
}

describe('the declared content type is ignored', () => {
  it.each(['text/html', 'image/svg+xml', 'application/javascript', 'text/xml', ''])(
    'a JPEG declared as %j is served as a JPEG',
    async (type) => {
      expectServedAs(await view(httpResponse(jpeg, [`Content-Type: ${type}`])), 'image/jpeg');
    },
  );

  it.each(['image/jpeg', 'image/png', 'image/svg+xml', 'text/html', 'image/jpeg;text/html'])(
    'HTML declared as %s is rejected',
    async (type) => {
      expectRefused(await view(httpResponse(SCRIPT, [`Content-Type: ${type}`])));
    },
  );
});

describe('polyglots are served only as the image that they also are', () => {
  const comment = (text: string) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text.length + 2);
    return Buffer.concat([Buffer.from([0xff, 0xfe]), length, Buffer.from(text)]);
  };
  const withComment = (text: string) =>
    Buffer.concat([jpeg.subarray(0, 2), comment(text), jpeg.subarray(2)]);

  it.each([
    ['HTML in a JPEG comment', withComment(SCRIPT), 'jpeg'],
    ['JavaScript in a JPEG comment', withComment('*/=alert(1);/*'), 'jpeg'],
    ['SVG in a JPEG comment', withComment(SVG), 'jpeg'],
    ['PHP in a JPEG comment', withComment('<?php system($_GET[0]); ?>'), 'jpeg'],
  ] as const)('%s', async (_, bytes, kind) => {
    const seen = await view(httpResponse(bytes, ['Content-Type: text/html']));
    expectServedAs(seen, `image/${kind}`);
    expect(Buffer.from(seen.body, 'latin1').equals(bytes)).toBe(true);
  });

  it.each([
    ['HTML', 'jpeg', SCRIPT],
    ['a ZIP', 'jpeg', 'PK\x05\x06'],
    ['HTML', 'png', SCRIPT],
  ] as const)('%s after the end of a %s is cut off', async (_, kind, trailer) => {
    const bytes = Buffer.concat([image(kind), Buffer.from(trailer)]);
    const seen = await view(httpResponse(bytes, ['Content-Type: text/html']));
    expectServedAs(seen, `image/${kind}`);
    expect(Buffer.from(seen.body, 'latin1').equals(image(kind))).toBe(true);
  });

  it.each([
    ['GIF89a as JavaScript', `GIF89a/*${'x'.repeat(50)}*/=1;alert(1)//;`],
    ['a BMP as JavaScript', 'BM/*xxxxxxxxxxxxxxxxxxxxxxxxxxx*/=1;alert(1)'],
    ['HTML before a JPEG', Buffer.concat([Buffer.from(SCRIPT), jpeg])],
    ['SVG before a PNG', Buffer.concat([Buffer.from(SVG), image('png')])],
    ['a PDF before a JPEG', Buffer.concat([Buffer.from('%PDF-1.7\n'), jpeg])],
  ])('%s is rejected, because it does not begin and end as an image', async (_, bytes) => {
    expectRefused(await view(httpResponse(bytes, ['Content-Type: image/gif'])));
  });
});

describe('SVG is rejected, because it may contain scripts', () => {
  it.each([
    ['plain', SVG],
    ['with a prologue', `<?xml version="1.0" encoding="UTF-8"?>\n${SVG}`],
    ['with a doctype', `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${SVG}`],
    ['after a comment', `<!-- GIF89a -->${SVG}`],
    ['after a byte order mark', `\ufeff${SVG}`],
    ['after white space', ` \r\n\t${SVG}`],
    ['in UTF-16', Buffer.from(`\ufeff${SVG}`, 'utf16le')],
    ['in upper case', SVG.toUpperCase()],
    ['as .svgz', gzipSync(SVG)],
  ])('%s', async (_, body) => {
    expectRefused(await view(httpResponse(body, ['Content-Type: image/svg+xml'])));
    expectRefused(await view(httpResponse(body, ['Content-Type: image/jpeg'])));
  });
});

describe('bodies that would fill memory', () => {
  const bomb = Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(8 * 1024 ** 2)]);

  it.each([
    ['gzip', gzipSync(bomb)],
    ['x-gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
  ])('compressed as %s are aborted at the maximum frame size', async (encoding, body) => {
    const seen = await view(httpResponse(body, [`Content-Encoding: ${encoding}`]));
    expectRefused(seen);
    expect(seen.body).toContain('larger than 1048576 bytes');
  });

  it.each(['gzip, gzip', 'identity, gzip', 'br'])(
    'compressed in a way that is not decompressed (%s) are rejected',
    async (encoding) => {
      const body = gzipSync(gzipSync(jpeg));
      expectRefused(await view(httpResponse(body, [`Content-Encoding: ${encoding}`])));
    },
  );

  it('without end are aborted at the maximum frame size', async () => {
    const start = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), jpeg.subarray(0, -2)]);
    const seen = await view((socket) => pour(socket, start, Buffer.alloc(1024, 0xaa)));
    expectRefused(seen);
    expect(seen.body).toContain('larger than 1048576 bytes');
  });

  it('that drip are aborted at the deadline', async () => {
    const seen = await view((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expectRefused(seen, 504);
  });

  it.each([
    ['a giant header', `X: ${'x'.repeat(1_000_000)}\r\n`],
    ['twenty thousand headers', 'X: y\r\n'.repeat(20_000)],
    ['a giant status line', ''],
  ])('after %s are rejected', async (name, headers) => {
    const reason = name.includes('status') ? 'x'.repeat(1_000_000) : 'OK';
    const answer = `HTTP/1.1 200 ${reason}\r\n${headers}\r\n`;
    expectRefused(await view(Buffer.concat([Buffer.from(answer), jpeg])));
  });
});

describe('the camera’s headers', () => {
  it.each([
    ['cookies', 'Set-Cookie: session=x-of-the-camera; Path=/'],
    ['a server name', 'Server: x-of-the-camera'],
    ['CORS', 'Access-Control-Allow-Credentials: true'],
    ['a file name', 'Content-Disposition: attachment; filename="x-of-the-camera.exe"'],
    ['a redirect', 'Location: http://x-of-the-camera/'],
    ['a refresh', 'Refresh: 0; url=http://x-of-the-camera/'],
    ['a link', 'Link: <http://x-of-the-camera/>; rel=preload'],
    ['a weaker policy', 'Content-Security-Policy: script-src *; report-uri //x-of-the-camera'],
    ['caching for ever', 'Cache-Control: public, max-age=31536000, x-of-the-camera'],
    ['a validator', 'ETag: "x-of-the-camera"'],
    ['authentication', 'WWW-Authenticate: Basic realm="x-of-the-camera"'],
    ['its network', 'X-Forwarded-For: 10.0.0.1, x-of-the-camera'],
    ['transport rules', 'Strict-Transport-Security: max-age=1; x-of-the-camera'],
    ['a service worker', 'Service-Worker-Allowed: /x-of-the-camera'],
    ['clearing of data', 'Clear-Site-Data: "*"'],
    ['an alternative', 'Alt-Svc: h3="x-of-the-camera:443"'],
    ['a status', 'Cache-Status: x-of-the-camera; hit'],
    ['a folded header', 'X-A: 1\r\n Set-Cookie: x-of-the-camera=1'],
  ])('are not passed on: %s', async (_, header) => {
    const seen = await view(httpResponse(jpeg, [header]));
    if (seen.status === 200) expectServedAs(seen, 'image/jpeg');
    else expectRefused(seen);
    const failed = await view(httpResponse('x-of-the-camera', [header], '500 x-of-the-camera'));
    expectRefused(failed);
  });

  it.each([
    ['a bare CR', 'X-A: 1\rSet-Cookie: x-of-the-camera=1'],
    ['a bare LF', 'X-A: 1\nSet-Cookie: x-of-the-camera=1'],
    ['a NUL', 'X-A: 1\0x-of-the-camera'],
    ['a space in the name', 'Set-Cookie : x-of-the-camera=1'],
    ['encoded line ends', 'ETag: "1%0d%0aSet-Cookie:%20x-of-the-camera=1"'],
    ['Unicode line ends', 'ETag: "1\u0100\u010d\u010aSet-Cookie: x-of-the-camera=1"'],
    ['both framings', 'Transfer-Encoding: chunked'],
    ['another length', 'Content-Length: 5'],
  ])('cannot inject headers into our response: %s', async (_, header) => {
    const seen = await view(httpResponse(jpeg, [header]));
    expect([200, 502, 504]).toContain(seen.status);
    expect(seen.head + seen.body).not.toContain('x-of-the-camera');
  });

  it('a second response on the same connection reaches no viewer', async () => {
    const smuggled = Buffer.concat([httpResponse(jpeg), httpResponse(SCRIPT, ['Set-Cookie: a=b'])]);
    const seen = await view(smuggled);
    expect([200, 502]).toContain(seen.status);
    expect(seen.body).not.toContain('script');
  });
});

describe('the request to the camera', () => {
  const SECRET = 'viewer-secret';
  const VIEWER_HEADERS = [
    'Cookie: session=viewer-secret',
    'Authorization: Bearer viewer-secret',
    'Proxy-Authorization: Basic viewer-secret',
    'X-Forwarded-For: viewer-secret',
    'X-Forwarded-Host: viewer-secret.test',
    'X-Real-IP: viewer-secret',
    'Forwarded: for=viewer-secret',
    'Accept-Language: viewer-secret',
    'Accept: image/viewer-secret',
    'Accept-Encoding: gzip, br, viewer-secret',
    'User-Agent: viewer-secret',
    'Referer: http://viewer-secret.test/',
    'Origin: http://viewer-secret.test',
    'Range: bytes=0-10',
    'If-Range: "viewer-secret"',
    'If-None-Match: "viewer-secret"',
    'If-Modified-Since: Tue, 22 Sep 2026 10:00:00 GMT',
    'If-Match: "viewer-secret"',
    'Cache-Control: no-cache, viewer-secret',
    'Pragma: viewer-secret',
    'Expect: viewer-secret',
    'TE: trailers, viewer-secret',
    'Upgrade-Insecure-Requests: 1',
    'Sec-CH-UA: "viewer-secret"',
    'Traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
    'X-HTTP-Method-Override: DELETE',
    'X-Anything: viewer-secret',
  ];
  const ALLOWED = ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', 'via'];

  const lastRequest = () => camera.requests.get(`/${paths}`) ?? '';

  it.each(VIEWER_HEADERS)('contains nothing from the viewer: %s', async (header) => {
    await view(httpResponse(jpeg), [header]);
    if (header.startsWith('Expect')) return;
    expect(lastRequest()).toMatch(/^GET \/\d+ HTTP\/1\.1\r\n/);
    expect(lastRequest()).not.toContain(SECRET);
    const names = lastRequest()
      .match(/^[\w-]+(?=:)/gm)
      ?.map((name) => name.toLowerCase());
    expect(names?.filter((name) => !ALLOWED.includes(name))).toEqual([]);
  });

  it('is Lastframe’s own GET, without a body, on a connection of its own', async () => {
    await view(httpResponse(jpeg), ['Accept-Encoding: gzip']);
    expect(lastRequest()).toMatch(/^User-Agent: Lastframe\//m);
    expect(lastRequest()).toMatch(/^Accept-Encoding: identity\r$/m);
    expect(lastRequest()).toMatch(/^Connection: close\r$/m);
    expect(lastRequest()).toContain(`Host: 127.0.0.1:${camera.port}\r\n`);
    expect(lastRequest()).toMatch(/\r\n\r\n$/);
    expect(lastRequest()).not.toMatch(/content-length|transfer-encoding/i);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'])('is not %s', async (method) => {
    paths += 1;
    const url = camera.respondWith(`/${paths}`, httpResponse(jpeg));
    const api = `${fleet.apis[0]?.url}/images?url=${encodeURIComponent(url)}`;
    const response = await fetch(api, { method: method === 'TRACE' ? 'OPTIONS' : method });
    expect(response.ok && response.status === 200).toBe(false);
    expect(lastRequest()).toBe('');
  });

  it.each([
    '%0d%0aX-Injected:%201',
    '%0aX-Injected:%201',
    '%20HTTP/1.1%0d%0aX-Injected:%201%0d%0a%0d%0a',
    '%E5%98%8D%E5%98%8AX-Injected:%201',
    'č\u010aX-Injected: 1'.replace(' ', '%20'),
    '%00',
  ])('contains no header injected by the URL: %s', async (tail) => {
    for (const mark of ['', '?q=']) {
      paths += 1;
      camera.respondWith(`/${paths}`, httpResponse(jpeg));
      const url = `${camera.url}/${paths}${mark}${tail}`;
      await sendRawRequest(fleet.apis[0]?.url ?? '', `/images?url=${encodeURIComponent(url)}`);
    }
    const all = [...camera.requests.values()].join('');
    expect(all).not.toMatch(/^X-Injected/m);
    for (const request of camera.requests.values())
      expect(request.split('\r\n\r\n')).toHaveLength(2);
  });
});

function pour(socket: Socket, head: Buffer, piece: Buffer): void {
  socket.write(head);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}
