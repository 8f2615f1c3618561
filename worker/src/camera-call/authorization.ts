import { randomBytes } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { LRUCache } from 'lru-cache';
import { answerChallenge, type Challenge, readChallenge, readNextNonce } from './digest.ts';
import type { Fields } from './response/head.ts';

/**
 * Creates the credentials for calls. Digest needs a challenge first; it is kept per source and
 * origin, so that a camera costs one request per refresh.
 */
export interface Authorizer {
  /** Returns the `Authorization` of the next call, if any. Each is for one call only. */
  authorizationFor(camera: Camera): string | undefined;
  /**
   * Handles a 401 to a call with the authorization `sent`. Returns true if the next call, with a
   * permit of its own, may well succeed.
   */
  onUnauthorized(camera: Camera, headers: Fields, sent: string | undefined): boolean;
  /** Reads the nonce for the next call, which a response may announce. */
  onResponse(camera: Camera, headers: Fields): void;
}

interface ChallengeState {
  challenge: Challenge;
  count: number;
  /** Responses in a row that called the nonce stale. */
  stale: number;
}

const MAX_ORIGINS = 10_000;

export function createAuthorizer(): Authorizer {
  const states = new LRUCache<string, ChallengeState>({ max: MAX_ORIGINS });
  return {
    authorizationFor: (camera) => {
      const { auth } = camera.source;
      if (!auth) return undefined;
      const { username, password } = auth;
      if (auth.scheme === 'basic') {
        return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      }
      const state = states.get(keyOf(camera));
      if (!state) return undefined;
      state.count += 1;
      const { pathname, search } = new URL(camera.url);
      const cnonce = randomBytes(16).toString('hex');
      const params = { username, password, uri: pathname + search, cnonce, count: state.count };
      return answerChallenge(state.challenge, params);
    },
    onUnauthorized: (camera, headers, sent) => {
      if (camera.source.auth?.scheme !== 'digest') return false;
      const challenge = readChallenge(headers['www-authenticate']);
      if (!challenge) return false;
      const stale = challenge.stale ? 1 + (states.get(keyOf(camera))?.stale ?? 0) : 0;
      states.set(keyOf(camera), { challenge, count: 0, stale });
      // A 401 despite credentials means a wrong password, unless only the nonce was stale. A camera
      // that calls every nonce stale is broken.
      return sent === undefined || (challenge.stale && stale <= 2);
    },
    onResponse: (camera, headers) => {
      const state = states.get(keyOf(camera));
      if (state) state.stale = 0;
      const info = headers['authentication-info'];
      const nonce = state && readNextNonce(info === undefined ? undefined : String(info));
      if (!nonce || nonce === state.challenge.nonce) return;
      states.set(keyOf(camera), { challenge: { ...state.challenge, nonce }, count: 0, stale: 0 });
    },
  };
}

/** Includes the source: two sources may have different users at one origin. */
function keyOf({ url, source }: Camera): string {
  return `${source.name} ${new URL(url).origin}`;
}
