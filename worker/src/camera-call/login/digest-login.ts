import { randomBytes } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { SourceAuth } from '@lastframe/shared/cameras/source';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { Fields } from '../header-fields.ts';
import { answerChallenge } from './answer-challenge.ts';
import { readNextNonce } from './challenge.ts';
import { failLogin, type Login, type LoginResult, offerOf, READ, RETRY } from './login.ts';
import type { LoginAttempts } from './login-attempts.ts';
import { FORBIDDEN, faultOf, pausedFault, TOO_OLD } from './login-faults.ts';
import type { Nonce, Nonces } from './nonces.ts';

/** What this process knows about one login at one origin. */
export interface DigestState {
  attempts: LoginAttempts;
  nonces: Nonces;
  nowMs: () => number;
}

/** A nonce may expire before it is ever used. */
const SHORT_LIVED_MS = 30_000;

/** Answers the challenge of an earlier call, or fetches one. Never sends the password itself. */
export function digestLogin(camera: Camera, auth: SourceAuth, state: DigestState): Login {
  const { attempts, nonces } = state;
  const { timeoutMs, startAllowanceMs } = camera.source;
  const nonce = nonces.find(camera.cameraId);
  if (!nonce || !attempts.begin(camera.cameraId, timeoutMs + startAllowanceMs)) {
    return challengeLogin(camera, state);
  }
  nonce.uses += 1;
  return {
    authorization: authorizationOf(camera, auth, nonce),
    onResponse: (status, headers) => {
      if (status === 401) return onRefused(camera, nonce, headers, state);
      if (status < 400) onAccepted(camera, nonce, headers, state);
      else attempts.onUnclear(camera.cameraId);
      return status === 403 ? failLogin(FORBIDDEN) : READ;
    },
  };
}

/** Sends no credentials, and so gets a challenge. */
function challengeLogin({ cameraId }: Camera, { attempts, nonces }: DigestState): Login {
  const fault = attempts.whyPaused(cameraId);
  return {
    authorization: undefined,
    onResponse: (status, headers) => {
      if (status !== 401) return READ;
      const offer = offerOf(headers);
      if (offer.digest) nonces.keep(cameraId, offer.digest);
      if (fault !== undefined) return failLogin(pausedFault(fault));
      return offer.digest ? RETRY : failLogin(faultOf('digest', offer));
    },
  };
}

function authorizationOf(
  { url }: Camera,
  { username, password }: SourceAuth,
  { challenge, sessionCnonce, uses }: Nonce,
): string {
  const { pathname, search } = new URL(url);
  const cnonce = challenge.isSession ? sessionCnonce : randomBytes(16).toString('hex');
  const input = { username, password, uri: pathname + search, cnonce, count: uses };
  return answerChallenge(challenge, input);
}

function onAccepted(
  { cameraId }: Camera,
  nonce: Nonce,
  headers: Fields,
  { attempts, nonces }: DigestState,
): void {
  attempts.onAccepted(cameraId);
  nonces.onAccepted(cameraId, nonce);
  const next = readNextNonce(headers['authentication-info']);
  if (next !== undefined) nonces.keep(cameraId, { ...nonce.challenge, nonce: next });
}

/**
 * A 401 despite credentials means a wrong password, unless the nonce may be the reason: it was too
 * old, or the camera accepts each only once and need not say so.
 */
function onRefused(
  { cameraId, source }: Camera,
  nonce: Nonce,
  headers: Fields,
  { attempts, nonces, nowMs }: DigestState,
): LoginResult {
  const offer = offerOf(headers);
  const challenge = offer.digest;
  const wasLatest = nonces.isLatest(nonce);
  if (nonces.onRefused({ cameraId, nonce, challenge, spacingMs: spacingMs(source) })) {
    attempts.onUnclear(cameraId);
    return RETRY;
  }
  const isStale = challenge?.stale === true;
  const isOld = nowMs() - nonce.receivedMs > SHORT_LIVED_MS;
  const mayBeNonce = !wasLatest || nonce.uses > 1 || isOld || attempts.hasWorked;
  if (attempts.onDoubt(cameraId, isStale ? 2 : mayBeNonce ? 1 : 0)) return RETRY;
  // A camera that calls every nonce stale is broken, or the interval is longer than it keeps them.
  const fault = isStale ? TOO_OLD : faultOf('digest', offer);
  attempts.onRejected(cameraId, fault);
  return failLogin(fault);
}
