import { createHash, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Source } from '@lastframe/shared/cameras/source';
import { expect, it } from 'vitest';
import { punctual } from '../test-support/calls.ts';
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

/** Starts a camera that accepts digests of its own nonce, each count once. */
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
    const isCorrect = field('response') === h(proof.join(':')) && nonce === camera.nonce;
    if (isCorrect && field('uri') === uri && !used.has(nonce + nc)) {
      used.add(nonce + nc);
      socket.write(ok(image('jpeg'), ...camera.infos));
      return;
    }
    const algorithm = hash === 'md5' ? 'MD5' : 'SHA-256';
    const stale = camera.stale ? ', stale=true' : '';
    const challenge = `Digest realm="cams", nonce="${camera.nonce}", qop="auth", algorithm=${algorithm}${stale}`;
    socket.write(
      message(['HTTP/1.1 401 No', 'Content-Length: 0', `WWW-Authenticate: ${challenge}`]),
    );
  });
  return { server, camera };
}

/** Returns a function that makes one call and returns its outcome, or why it failed. */
function caller(port: number, overrides: Partial<Source> = { auth: auth('digest') }) {
  const prepare = createPrepareCall(createByteBudget(1024 ** 2), () => undefined, punctual);
  const source = testSource(overrides);
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

it('basic: sends credentials with the first call', async () => {
  const server = await startCamera((socket) => socket.write(ok(image('jpeg'))));
  expect(await caller(server.port, { auth: auth('basic') })()).toBe('captured');
  expect(server.received).toContain(`Authorization: Basic ${btoa('me:pass:word')}\r\n`);
});

it.each(['md5', 'sha256'] as const)(
  'digest (%s): the first call gets the challenge, and every later one a frame',
  async (hash) => {
    const { server } = await startDigestCamera(hash);
    const call = caller(server.port);
    const outcomes = [await call(), await call(), await call('/other'), await call()];
    expect(outcomes).toEqual(['challenged', 'captured', 'captured', 'captured']);
    expect(server.connections).toBe(4);
    expect(server.received).not.toContain('pass:word');
  },
);

it('digest: a stale nonce costs one extra call, and an announced next nonce costs none', async () => {
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

it('digest: fails on a wrong password, and on a camera that calls every nonce stale', async () => {
  const { server, camera } = await startDigestCamera();
  const call = caller(server.port, { auth: auth('digest', 'wrong') });
  const failure = 'the camera responded with 401';
  expect([await call(), await call(), await call()]).toEqual(['challenged', failure, failure]);
  camera.stale = true;
  const outcomes = [await call(), await call(), await call(), await call()];
  expect(outcomes).toEqual(['challenged', 'challenged', failure, failure]);
});

it('digest: never sends the password in the clear to a camera that requests basic', async () => {
  const server = await startCamera((socket) =>
    socket.write(
      message(['HTTP/1.1 401 No', 'Content-Length: 0', 'WWW-Authenticate: Basic realm="x"']),
    ),
  );
  const call = caller(server.port);
  expect([await call(), await call()]).toEqual(Array(2).fill('the camera responded with 401'));
  expect(server.received).not.toContain('Authorization');
});

it('fails on a 401 if the source has no credentials', async () => {
  const { server } = await startDigestCamera();
  expect(await caller(server.port, {})()).toBe('the camera responded with 401');
});
