import { connect, createServer, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
} from 'node:tls';
import { parseProxy, type Source } from '@lastframe/shared/cameras/source';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call, neverAborted, prepareCameraCall } from '../../test-support/calls.ts';
import { ok, serveTest, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { selfSigned } from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';

const jpeg = image('jpeg');
const captured = { outcome: 'captured', bytes: jpeg };

type Answer = (socket: Socket, head: string) => void;

/** Starts a proxy that answers each request as told. */
async function startProxy(answer: Answer, tls?: { key: string; cert: string }) {
  const requests: string[] = [];
  const serve = (socket: Socket) => {
    let head = '';
    const read = (bytes: Buffer) => {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      socket.off('data', read);
      requests.push(head);
      answer(socket, head);
    };
    socket.on('error', () => {}).on('data', read);
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  return { requests, ...(await serveTest(server)) };
}

/** Connects to wherever the request says, if it allows that. */
const tunnel: Answer = (socket, head) => {
  const [, port] = /^CONNECT [^ ]*:(\d+) HTTP/.exec(head) ?? [];
  const inner = connect(Number(port), '127.0.0.1', () => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(inner).pipe(socket);
  });
  inner.on('error', () => socket.destroy());
  socket.on('close', () => inner.destroy());
};
const answerOk: Answer = (socket) => void socket.write(ok(jpeg));

const sourceVia = (url: string, differences: Partial<Source> = {}) =>
  testSource({ proxy: parseProxy(url) as NonNullable<Source['proxy']>, ...differences });

describe('a camera behind a proxy is called', () => {
  it('over http by its whole URL, which only the proxy resolves', async () => {
    const proxy = await startProxy(answerOk);
    const source = sourceVia(`http://127.0.0.1:${proxy.port}`);
    const camera = testCamera('http://no-such-host.invalid:81/snap.jpg?a=b', source);
    const prepared = await prepareCameraCall(camera, 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error(JSON.stringify(prepared));
    expect(proxy.requests).toEqual([]);
    expect(await prepared.call.send(neverAborted)).toMatchObject(captured);
    expect(proxy.requests[0]).toMatch(
      /^GET http:\/\/no-such-host\.invalid:81\/snap\.jpg\?a=b HTTP\/1\.1\r\nHost: no-such-host\.invalid:81\r\n/,
    );
    expect(proxy.requests[0]).not.toContain('Proxy-Authorization');
  });

  it('over https through a tunnel, in which its certificate is checked', async () => {
    const certificate = selfSigned('localhost');
    const camera = await startCamera((socket) => socket.write(ok(jpeg)), certificate);
    const proxy = await startProxy(tunnel);
    const via = (tls: NonNullable<Source['tls']>) =>
      testCamera(
        `https://localhost:${camera.port}/`,
        sourceVia(`http://127.0.0.1:${proxy.port}`, { tls }),
      );
    expect(await call(camera, via({ ca: certificate.cert }))).toMatchObject(captured);
    expect(proxy.requests[0]).toMatch(
      /^CONNECT localhost:\d+ HTTP\/1\.1\r\nHost: localhost:\d+\r\n/,
    );
    const other = await call(camera, via({ ca: selfSigned('localhost').cert }));
    expect(other).toMatchObject({ error: 'tls_certificate_error' });
  });

  it('with the user name and password of the proxy, which the camera never sees', async () => {
    const certificate = selfSigned('localhost');
    const camera = await startCamera((socket) => socket.write(ok(jpeg)), certificate);
    const proxy = await startProxy((socket, head) =>
      head.startsWith('GET') ? answerOk(socket, head) : tunnel(socket, head),
    );
    const source = sourceVia(`http://me:p%40ss@127.0.0.1:${proxy.port}`, {
      tls: { insecure: true },
    });
    expect(
      await call(camera, testCamera(`https://localhost:${camera.port}/`, source)),
    ).toMatchObject(captured);
    await call(camera, testCamera('http://camera.test/', source));
    const login = `Proxy-Authorization: Basic ${btoa('me:p@ss')}\r\n`;
    expect(proxy.requests).toHaveLength(2);
    for (const request of proxy.requests) expect(request).toContain(login);
    expect(camera.received).not.toContain('Proxy-Authorization');
  });
});

it('a proxy may be reached by https itself', async () => {
  const certificate = selfSigned('localhost');
  const defaults = getCACertificates('default');
  setDefaultCACertificates([...defaults, certificate.cert]);
  onTestFinished(() => setDefaultCACertificates(defaults));
  const camera = await startCamera((socket) => socket.write(ok(jpeg)), certificate);
  const proxy = await startProxy(
    (socket, head) => (head.startsWith('GET') ? answerOk : tunnel)(socket, head),
    certificate,
  );
  const source = sourceVia(`https://localhost:${proxy.port}`, { tls: { insecure: true } });
  expect(await call(proxy, testCamera('http://camera.test/', source))).toMatchObject(captured);
  const url = `https://localhost:${camera.port}/`;
  expect(await call(camera, testCamera(url, source))).toMatchObject(captured);
  expect(proxy.requests.map((head) => head.split(' ')[0])).toEqual(['GET', 'CONNECT']);
});

describe('the address of a camera behind a proxy', () => {
  it.each([
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/',
    'http://localhost/',
    'http://cam.localhost/',
    'https://0x7f.1/',
  ])('is refused like any other if the URL has it: %s', async (url) => {
    const proxy = await startProxy(answerOk);
    const source = sourceVia(`http://127.0.0.1:${proxy.port}`, { networks: [] });
    const prepared = await prepareCameraCall(testCamera(url, source), 4000, neverAborted);
    expect(prepared).toMatchObject({ outcome: 'failed', status: 403 });
    expect(proxy.requests).toEqual([]);
  });
});

describe('a proxy that fails is told apart from the camera:', () => {
  const failureOf = async (url: string, camera = 'https://camera.test/', allowanceMs = 4000) => {
    const source = sourceVia(url, { startAllowanceMs: allowanceMs });
    const prepared = await prepareCameraCall(testCamera(camera, source), allowanceMs, neverAborted);
    return prepared.outcome === 'connected' ? await prepared.call.send(neverAborted) : prepared;
  };

  it('it is not there', async () => {
    expect(await failureOf('http://127.0.0.1:1')).toMatchObject({
      status: 502,
      reason: "no connection to the proxy of the camera's source (ECONNREFUSED)",
    });
    const unknown = await failureOf('http://no-such-proxy.invalid:3128');
    expect(unknown).toHaveProperty('reason', expect.stringContaining('no connection to the proxy'));
  });

  it.each([
    ['HTTP/1.1 407 Proxy Authentication Required', /wants a user name and password/],
    ['HTTP/1.1 403 Forbidden', /refused to connect to the camera \(403\)/],
    ['HTTP/1.1 502 Bad Gateway', /refused to connect to the camera \(502\)/],
    ['SSH-2.0-OpenSSH_9.6', /did not answer like an HTTP proxy/],
  ])('it answers %s', async (line, reason) => {
    const proxy = await startProxy((socket) => void socket.write(`${line}\r\n\r\n`));
    const failure = await failureOf(`http://127.0.0.1:${proxy.port}`);
    expect(failure).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(reason) });
    await proxy.allClosed();
  });

  it('it hangs up, or never answers', async () => {
    const hangsUp = await startProxy((socket) => void socket.end());
    const failure = await failureOf(`http://127.0.0.1:${hangsUp.port}`);
    expect(failure).toMatchObject({ reason: expect.stringContaining('like an HTTP proxy') });
    const silent = await startProxy(() => {});
    const late = await failureOf(`http://127.0.0.1:${silent.port}`, undefined, 500);
    expect(late).toMatchObject({
      status: 504,
      reason: expect.stringMatching(/no connection through the proxy.*startAllowance/),
    });
    await silent.allClosed();
  });

  it('it wants a login for plain http', async () => {
    const proxy = await startProxy(
      (socket) => void socket.write('HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n'),
    );
    const failure = await failureOf(`http://127.0.0.1:${proxy.port}`, 'http://camera.test/');
    expect(failure).toMatchObject({ reason: expect.stringMatching(/proxy .* user name/) });
  });
});

it.each(['ftp://proxy.lan', 'proxy.lan:3128', 'http://proxy.lan/path', 'socks5://proxy.lan', ''])(
  '%j is not the URL of an HTTP proxy',
  (text) => expect(parseProxy(text)).toBeUndefined(),
);
