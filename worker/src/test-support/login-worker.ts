import type { Source } from '@lastframe/shared/cameras/source';
import { vi } from 'vitest';
import { createAuthorizer } from '../camera-call/login/authorizer.ts';
import { testCamera, testSource } from './cameras.ts';
import { digestFields, isRightDigest } from './digest-camera.ts';

type Headers = Record<string, string>;
type Answer = readonly [status: number, headers?: Headers];
/** Answers a call to a path. */
export type Answers = (authorization: string | undefined, path: string) => Answer;

export const digestAuth = (password = 'right') => ({
  scheme: 'digest' as const,
  username: 'me',
  password,
});
export const basicAuth = (password = 'right') => ({
  scheme: 'basic' as const,
  username: 'me',
  password,
});
let lastNonce = 0;
export const challenge = (more = '', realm = 'cam'): Answer => {
  lastNonce += 1;
  const text = `Digest realm="${realm}", qop="auth", nonce="n${lastNonce}"${more}`;
  return [401, { 'www-authenticate': text }];
};

/** Starts a worker whose calls of one origin are one interval apart. */
export function loginWorker(answers: Answers, overrides: Partial<Source> = { auth: digestAuth() }) {
  let nowMs = 0;
  const warn = vi.fn();
  const sent: (string | undefined)[] = [];
  let source = testSource({ intervalMs: 1000, ...overrides });
  const authorizer = createAuthorizer({ warn }, () => nowMs);
  const begin = (path = '/') => {
    const login = authorizer.loginFor(testCamera(`http://cam.test${path}`, source));
    sent.push(login.authorization);
    return () => {
      const result = login.onResponse(...withHeaders(answers(login.authorization, path)));
      return result.next === 'fail' ? result.fault : result.next;
    };
  };
  const call = (path = '/') => {
    nowMs += source.intervalMs;
    return begin(path)();
  };
  return {
    warn,
    sent,
    /** Begins a call and returns a function that ends it. */
    begin,
    call,
    calls: (count: number, path = '/') => Array.from({ length: count }, () => call(path)),
    wait: (ms: number) => {
      nowMs += ms;
    },
    change: (auth: Source['auth']) => {
      source = { ...source, ...(auth && { auth }) };
    },
    logins: () => sent.filter((text) => text !== undefined).length,
  };
}

function withHeaders([status, headers = {}]: Answer): [number, Headers] {
  return [status, headers];
}

/** A camera that accepts a right digest unless `refuse` says how it answers instead. */
export const digestCamera =
  (refuse: (fields: Record<string, string>) => Answer | undefined = () => undefined): Answers =>
  (authorization) =>
    isRightDigest(authorization, 'right')
      ? (refuse(digestFields(authorization)) ?? [200])
      : challenge();

/** Refuses each nonce after it was used so often. */
export function limitedNonces(maxUses: number, more = '') {
  const used = new Map<string, number>();
  return ({ nonce = '' }: Record<string, string>) => {
    used.set(nonce, 1 + (used.get(nonce) ?? 0));
    return (used.get(nonce) ?? 0) > maxUses ? challenge(more) : undefined;
  };
}

export const REJECTED = 'the camera rejected the user name or password (401)';
