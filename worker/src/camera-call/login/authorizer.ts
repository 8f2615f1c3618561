import { isDeepStrictEqual } from 'node:util';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { SourceAuth } from '@lastframe/shared/cameras/source';
import type { Log } from '@lastframe/shared/process/log';
import { LRUCache } from 'lru-cache';
import { basicLogin } from './basic-login.ts';
import { digestLogin } from './digest-login.ts';
import { type Login, loginWithoutAuth } from './login.ts';
import { createLoginAttempts, type LoginAttempts } from './login-attempts.ts';
import { createNonces, type Nonce, type Nonces } from './nonces.ts';

/**
 * Creates the login of each call. What it knows about a camera is kept per source and origin, in
 * this process: after a restart, digest costs one call for a challenge.
 */
export interface Authorizer {
  /** Each is for one call only. */
  loginFor(camera: Camera): Login;
}

interface OriginState {
  auth: SourceAuth;
  attempts: LoginAttempts;
  nonces: Nonces;
}

const MAX_ORIGINS = 10_000;
const MAX_OWN_NONCES = 10_000;
const SINGLE_USE =
  'the camera accepts each digest nonce only once, so every other call only fetches a new one; ' +
  'use basic authentication, or halve the interval';

export function createAuthorizer(
  log?: Pick<Log, 'warn'>,
  nowMs = () => performance.now(),
): Authorizer {
  const states = new LRUCache<string, OriginState>({ max: MAX_ORIGINS });
  const ownNonces = new LRUCache<string, Nonce>({ max: MAX_OWN_NONCES });
  const warned = new LRUCache<string, true>({ max: MAX_ORIGINS });

  const createNoncesFor = ({ cameraId, name, source }: Camera, key: string): Nonces => {
    const own = {
      get: (id: string) => ownNonces.get(`${key} ${id}`),
      set: (id: string, nonce: Nonce) => ownNonces.set(`${key} ${id}`, nonce),
      delete: (id: string) => ownNonces.delete(`${key} ${id}`),
    };
    const onSingleUse = () => {
      if (warned.has(key)) return;
      warned.set(key, true);
      log?.warn(
        { source: source.name, ...(name !== undefined && { camera: name }), cameraId },
        SINGLE_USE,
      );
    };
    return createNonces({ nowMs, ownNonces: own, onSingleUse });
  };

  const stateOf = (camera: Camera, auth: SourceAuth): OriginState => {
    // Includes the source: two sources may have different users at one origin.
    const key = `${camera.source.name} ${new URL(camera.url).origin}`;
    const known = states.get(key);
    // A changed password is tried at once.
    if (known && isDeepStrictEqual(known.auth, auth)) return known;
    const attempts = createLoginAttempts(nowMs);
    const state = { auth, attempts, nonces: createNoncesFor(camera, key) };
    states.set(key, state);
    return state;
  };

  return {
    loginFor: (camera) => {
      const { auth, headers } = camera.source;
      if (!auth) return loginWithoutAuth(headers);
      const state = stateOf(camera, auth);
      return auth.scheme === 'basic'
        ? basicLogin(camera, auth, state.attempts)
        : digestLogin(camera, auth, { ...state, nowMs });
    },
  };
}
