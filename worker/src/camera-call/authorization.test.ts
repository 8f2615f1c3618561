import { createHash, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Source } from '@lastframe/shared/cameras/source';
import { expect, it } from 'vitest';
import { message, ok, startCamera } from '../test-support/camera-server.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { image } from '../test-support/images.ts';
import { createByteBudget } from './byte-budget.ts';
import { createPrepareCall } from './prepare-call.ts';

const never = new AbortController().signal;
const auth = (scheme: 'basic' | 'digest', password = 'pass:word'): Required<Source>['auth'] => ({
  scheme,
  username: 'me',
  password,
});

/** A camera that lets in who proves the password for a nonce of its own, each count once. */
async function startDigestCamera(hash: 'md5' | 'sha256' = 'sha256') {
  const camera = { nonce: randomUUID() as string, stale: false, infos: [] as string[] };
  const used = new Set<string>();
  let seen = 0;
  const server = await startCamera((socket: Socket) => {
    const head = server.received.slice(seen);
    seen = server.received.length;
    const h = (text: string) => createHash(hash).update(text).digest('hex');
    const field = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(head)?.[1] ?? '';
    const [nonce, nc] = [field('nonce'), field('nc')];
    const uri = /^GET (\S+)/.exec(head)?.[1];
    const proof = [h('me:cams:pass:word'), nonce, nc, field('cnonce'), 'auth', h(`GET:${uri}`)];
    const good = field('response') === h(proof.join(':')) && nonce === camera.nonce;
    if (good && field('uri') === uri && !used.has(nonce + nc)) {
      used.add(nonce + nc);
      socket.write(ok(image('jpeg'), ...camera.infos));
      return;
    }
    const algorithm = hash === 'md5' ? 'MD5' : 'SHA-256';
    const stale = camera.stale ? ', stale=true' : '';
    const ask = `Digest realm="cams", nonce="${camera.nonce}", qop="auth", algorithm=${algorithm}${stale}`;
    socket.write(message(['HTTP/1.1 401 No', 'Content-Length: 0', `WWW-Authenticate: ${ask}`]));
  });
  return { server, camera };
}

/** A worker's calls to it, one request each; gives how they ended. */
function caller(port: number, differences: Partial<Source> = { auth: auth('digest') }) {
  const prepare = createPrepareCall(createByteBudget(1024 ** 2));
  const source = testSource(differences);
  return async (path = '/a?b=c') => {
    const prepared = await prepare(
      testCamera(`http://127.0.0.1:${port}${path}`, source),
      4000,
      never,
    );
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    const capture = await prepared.call.send(never);
    return capture.outcome === 'failed' ? capture.reason : capture.outcome;
  };
}

it('basic is sent with the first call', async () => {
  const server = await startCamera((socket) => socket.write(ok(image('jpeg'))));
  expect(await caller(server.port, { auth: auth('basic') })()).toBe('captured');
  expect(server.received).toContain(`Authorization: Basic ${btoa('me:pass:word')}\r\n`);
});

it.each(['md5', 'sha256'] as const)(
  'digest (%s): one call hears the challenge, and from then on one request is one frame',
  async (hash) => {
    const { server } = await startDigestCamera(hash);
    const call = caller(server.port);
    const ends = [await call(), await call(), await call('/other'), await call()];
    expect(ends).toEqual(['challenged', 'captured', 'captured', 'captured']);
    expect(server.connections).toBe(4);
    expect(server.received).not.toContain('pass:word');
  },
);

it('digest: a nonce that has become too old costs one call more, and one that is handed on none', async () => {
  const { server, camera } = await startDigestCamera();
  const call = caller(server.port);
  await call();
  Object.assign(camera, { nonce: 'second', stale: true, infos: [] });
  expect([await call(), await call()]).toEqual(['challenged', 'captured']);
  camera.infos = ['Authentication-Info: qop=auth, nextnonce="third"'];
  expect(await call()).toBe('captured');
  Object.assign(camera, { nonce: 'third', infos: [] });
  expect(await call()).toBe('captured');
});

it('digest: a wrong password is a failure, and so is a camera that calls every answer too old', async () => {
  const { server, camera } = await startDigestCamera();
  const call = caller(server.port, { auth: auth('digest', 'wrong') });
  const refused = 'the camera answered 401';
  expect([await call(), await call(), await call()]).toEqual(['challenged', refused, refused]);
  camera.stale = true;
  const ends = [await call(), await call(), await call(), await call()];
  expect(ends).toEqual(['challenged', 'challenged', refused, refused]);
});

it('digest: the password never goes out in the clear to a camera that asks for basic', async () => {
  const server = await startCamera((socket) =>
    socket.write(
      message(['HTTP/1.1 401 No', 'Content-Length: 0', 'WWW-Authenticate: Basic realm="x"']),
    ),
  );
  const call = caller(server.port);
  expect([await call(), await call()]).toEqual(Array(2).fill('the camera answered 401'));
  expect(server.received).not.toContain('Authorization');
});

it('a 401 without credentials of ours is a failure', async () => {
  const { server } = await startDigestCamera();
  expect(await caller(server.port, {})()).toBe('the camera answered 401');
});
