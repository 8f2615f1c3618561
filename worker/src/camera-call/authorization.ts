import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { LRUCache } from 'lru-cache';
import { answerChallenge, type Challenge, readChallenge, readNextNonce } from './digest.ts';

/**
 * Says who we are to cameras that want to know. A digest needs a challenge first, which is kept for
 * the origin, so that a steady camera costs one request per refresh.
 */
export interface Authorizer {
  /** The `Authorization` of the next call, if it has one. Each is for one call only. */
  next(camera: Camera): string | undefined;
  /**
   * A 401 came back to a call that was sent with `sent`. True if it only told how to ask, so that
   * the next call, on a permit of its own, may well succeed.
   */
  refused(camera: Camera, headers: IncomingHttpHeaders, sent: string | undefined): boolean;
  /** An answer may name the nonce to go on with. */
  answered(camera: Camera, headers: IncomingHttpHeaders): void;
}

interface Held {
  challenge: Challenge;
  count: number;
  /** Answers in a row that were called too old. */
  stale: number;
}

const MAX_ORIGINS = 10_000;

export function createAuthorizer(): Authorizer {
  const held = new LRUCache<string, Held>({ max: MAX_ORIGINS });
  return {
    next: (camera) => {
      const { auth } = camera.source;
      if (!auth) return undefined;
      const { username, password } = auth;
      if (auth.scheme === 'basic') {
        return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      }
      const known = held.get(keyOf(camera));
      if (!known) return undefined;
      known.count += 1;
      const { pathname, search } = new URL(camera.url);
      const cnonce = randomBytes(16).toString('hex');
      const question = { username, password, uri: pathname + search, cnonce, count: known.count };
      return answerChallenge(known.challenge, question);
    },
    refused: (camera, headers, sent) => {
      if (camera.source.auth?.scheme !== 'digest') return false;
      const challenge = readChallenge(headers['www-authenticate']);
      if (!challenge) return false;
      const stale = challenge.stale ? 1 + (held.get(keyOf(camera))?.stale ?? 0) : 0;
      held.set(keyOf(camera), { challenge, count: 0, stale });
      // To an answer it says that the password is wrong, unless only the nonce was too old; a
      // camera that says so to every answer is out of order.
      return sent === undefined || (challenge.stale && stale <= 2);
    },
    answered: (camera, headers) => {
      const known = held.get(keyOf(camera));
      if (known) known.stale = 0;
      const info = headers['authentication-info'];
      const nonce = known && readNextNonce(info === undefined ? undefined : String(info));
      if (!nonce || nonce === known.challenge.nonce) return;
      held.set(keyOf(camera), { challenge: { ...known.challenge, nonce }, count: 0, stale: 0 });
    },
  };
}

/** Two sources may have two users of one origin. */
function keyOf({ url, source }: Camera): string {
  return `${source.name} ${new URL(url).origin}`;
}
