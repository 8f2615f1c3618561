import type { Source, SourceAuth } from '@lastframe/shared/cameras/source';
import { describe, expect, it } from 'vitest';
import { neverAborted, punctual } from '../../test-support/calls.ts';
import { message, ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { digestFields, isRightDigest } from '../../test-support/digest-camera.ts';
import { image } from '../../test-support/images.ts';
import { createByteBudget } from '../byte-budget.ts';
import { createPrepareCall } from '../prepare-call.ts';

const auth = (scheme: 'basic' | 'digest', password = 'pass:word'): SourceAuth => ({
  scheme,
  username: 'me',
  password,
});
const refusal = (status: number, ...headers: string[]) =>
  message([`HTTP/1.1 ${status} No`, 'Content-Length: 0', ...headers]);

/** Starts a camera; `answer` gets each request's `Authorization`, and its target. */
async function startLoginCamera(
  answer: (authorization: string | undefined, target: string) => Buffer,
) {
  let seen = 0;
  const server = await startCamera((socket) => {
    const head = server.received.slice(seen);
    seen = server.received.length;
    const target = /^GET (\S+)/.exec(head)?.[1] ?? '';
    socket.write(answer(/^authorization: (.*)\r$/im.exec(head)?.[1], target));
  });
  return server;
}

/** Starts a camera that accepts digests of its own nonce, each count once. */
async function startDigestCamera() {
  const camera = { nonce: 'first', stale: false, infos: [] as string[] };
  const used = new Set<string>();
  const server = await startLoginCamera((authorization, target) => {
    const { nonce, nc, uri } = digestFields(authorization);
    const isRight = isRightDigest(authorization, 'pass:word') && nonce === camera.nonce;
    if (isRight && uri === target && !used.has(`${nonce} ${nc}`)) {
      used.add(`${nonce} ${nc}`);
      return ok(image('jpeg'), ...camera.infos);
    }
    const stale = camera.stale ? ', stale=true' : '';
    const challenge = `Digest realm="cams", nonce="${camera.nonce}", qop="auth"${stale}`;
    return refusal(401, `WWW-Authenticate: ${challenge}`);
  });
  return { server, camera };
}

/** Returns a function that makes one call and returns its outcome, or why it failed. */
function caller({ port }: { port: number }, overrides: Partial<Source> = { auth: auth('digest') }) {
  const prepare = createPrepareCall(createByteBudget(1024 ** 2), () => undefined, punctual);
  const source = testSource(overrides);
  return async (path = '/a?b=c') => {
    const camera = testCamera(`http://127.0.0.1:${port}${path}`, source);
    const prepared = await prepare(camera, 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    const capture = await prepared.call.send(neverAborted);
    prepared.call.release();
    return capture.outcome === 'failed' ? capture.reason : capture.outcome;
  };
}

describe('basic', () => {
  it('sends credentials in UTF-8 with the first call', async () => {
    const server = await startLoginCamera(() => ok(image('jpeg')));
    expect(await caller(server, { auth: auth('basic', 'pass:wörd') })()).toBe('captured');
    expect(server.received).toContain('Authorization: Basic bWU6cGFzczp3w7ZyZA==\r\n');
  });

  it('is told that the camera wants digest', async () => {
    const { server } = await startDigestCamera();
    expect(await caller(server, { auth: auth('basic') })()).toMatch(/wants digest .* has basic/);
  });
});

describe('digest', () => {
  it('gets the challenge with the first call, and a frame with every later one', async () => {
    const { server } = await startDigestCamera();
    const call = caller(server);
    const outcomes = [await call(), await call(), await call('/other'), await call()];
    expect(outcomes).toEqual(['challenged', 'captured', 'captured', 'captured']);
    expect(server.connections).toBe(4);
    expect(server.received).not.toContain('pass:word');
  });

  it('needs one extra call for a stale nonce, and none for an announced next one', async () => {
    const { server, camera } = await startDigestCamera();
    const call = caller(server);
    await call();
    Object.assign(camera, { nonce: 'second', stale: true, infos: [] });
    expect([await call(), await call()]).toEqual(['challenged', 'captured']);
    camera.infos = ['Authentication-Info: qop=auth, nextnonce="third"'];
    expect(await call()).toBe('captured');
    Object.assign(camera, { nonce: 'third', infos: [] });
    expect(await call()).toBe('captured');
  });

  it('gets a frame every other call if the camera accepts each nonce only once', async () => {
    let issued = 0;
    const used = new Set<string>();
    const server = await startLoginCamera((authorization) => {
      const { nonce = '' } = digestFields(authorization);
      if (isRightDigest(authorization, 'pass:word') && !used.has(nonce)) {
        used.add(nonce);
        return ok(image('jpeg'));
      }
      issued += 1;
      return refusal(401, `WWW-Authenticate: Digest realm="r", qop="auth", nonce="n${issued}"`);
    });
    const call = caller(server);
    for (let n = 0; n < 6; n += 1) {
      expect([await call(), await call()]).toEqual(['challenged', 'captured']);
    }
    expect(server.connections).toBe(12);
  });

  it('picks its challenge from several headers, and sends names in UTF-8', async () => {
    const offers = [
      'WWW-Authenticate: Negotiate',
      'WWW-Authenticate: Basic realm="x", Digest realm="Cam\u00e9ra", nonce="n", algorithm=NEW',
      'WWW-Authenticate: digest realm="Cam\u00e9ra" nonce="n",',
    ];
    const server = await startLoginCamera((text) =>
      text?.includes('realm="Cam\u00e9ra", nonce="n"')
        ? ok(image('jpeg'))
        : refusal(401, ...offers),
    );
    const call = caller(server, { auth: { ...auth('digest'), username: 'žö"e' } });
    expect([await call(), await call()]).toEqual(['challenged', 'captured']);
    expect(server.received).toContain(String.raw`username="žö\"e"`);
  });

  it('fails on a wrong password, which is then tried less often', async () => {
    const { server } = await startDigestCamera();
    const call = caller(server, { auth: auth('digest', 'wrong') });
    const rejected = 'the camera rejected the user name or password (401)';
    expect([await call(), await call(), await call()]).toEqual(['challenged', rejected, rejected]);
    for (let n = 0; n < 3; n += 1) expect(await call()).toContain(rejected);
    expect(server.received.match(/Authorization/g)).toHaveLength(2);
  });

  it('never sends the password in the clear to a camera that wants basic', async () => {
    const server = await startLoginCamera(() => refusal(401, 'WWW-Authenticate: Basic realm="x"'));
    const call = caller(server);
    for (let n = 0; n < 3; n += 1) expect(await call()).toMatch(/^the camera wants basic/);
    expect(server.received).not.toContain('Authorization');
  });
});

it.each<[string, Partial<Source>, Buffer, RegExp]>([
  ['no auth', {}, refusal(401, 'WWW-Authenticate: Basic realm="x"'), /\(basic\); set auth:/],
  [
    'a header',
    { headers: { authorization: 'Bearer x' } },
    refusal(401),
    /rejected the Authorization/,
  ],
  [
    'a user without rights',
    { auth: auth('basic') },
    refusal(403),
    /denies its source's user access \(403\)/,
  ],
  ['no auth, forbidden', {}, refusal(403), /^the camera responded with 403$/],
  [
    'auth, behind a proxy',
    { auth: auth('basic') },
    refusal(407),
    /^a proxy in front of the camera wants/,
  ],
])('%s: the reason says what to do', async (_, overrides, answer, reason) => {
  expect(await caller(await startLoginCamera(() => answer), overrides)()).toMatch(reason);
});
