import { randomBytes } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import type { Challenge } from './challenge.ts';

export interface Nonce {
  readonly challenge: Challenge;
  /** Of all calls in a session, whose key depends on it. */
  readonly sessionCnonce: string;
  readonly receivedMs: number;
  /** Calls that were made with it. */
  uses: number;
  /** Calls that were accepted with it. */
  accepted: number;
  acceptedMs: number;
  /** The cameras that it was accepted from, as far as they are counted. */
  readonly acceptedFrom: Set<string>;
  isRefused: boolean;
}

/**
 * The nonces of one origin. Its cameras share the latest one, so that each needs no challenge of
 * its own, and because some origins forget all but the latest. A camera that alone is refused gets
 * its own: it may be in another realm, or the origin accepts each nonce only once.
 */
export interface Nonces {
  /** Returns the nonce for the next call; without one, the call fetches a challenge. */
  find(cameraId: string): Nonce | undefined;
  /** Whether no other call has fetched a newer one, which may have ended this one. */
  isLatest(nonce: Nonce): boolean;
  /** Keeps what a camera sent without refusing a nonce. */
  keep(cameraId: string, challenge: Challenge): void;
  onAccepted(cameraId: string, nonce: Nonce): void;
  /** Returns whether the nonce may be the reason: it worked before, or is that of other cameras. */
  onRefused(refusal: Refusal): boolean;
}

export interface Refusal {
  cameraId: string;
  nonce: Nonce;
  /** That came with it. */
  challenge: Challenge | undefined;
  /** The time between two calls to a camera. */
  spacingMs: number;
}

/** So many nonces in a row that worked once: the camera accepts each only once. */
const ONCE_IN_A_ROW = 2;
/** Then a used nonce is tried again after this long, in case the camera was updated. */
const RETRY_USED_MS = 3_600_000;
const MAX_ACCEPTED_FROM = 100;

interface NoncesDeps {
  /** A clock that never goes back. */
  nowMs: () => number;
  /** By camera. */
  ownNonces: Pick<LRUCache<string, Nonce>, 'get' | 'set' | 'delete'>;
  onSingleUse: () => void;
}

export function createNonces({ nowMs, ownNonces, onSingleUse }: NoncesDeps): Nonces {
  let shared: Nonce | undefined;
  let usedOnceInRow = 0;
  let singleUseUntilMs = Number.NEGATIVE_INFINITY;
  const isSingleUse = () => nowMs() < singleUseUntilMs;
  const isUsable = (nonce: Nonce) => !nonce.isRefused && !(isSingleUse() && nonce.uses > 0);
  const find = (cameraId: string) =>
    [ownNonces.get(cameraId), isSingleUse() ? undefined : shared].find(
      (nonce) => nonce && isUsable(nonce),
    );
  const checkSingleUse = (nonce: Nonce, spacingMs: number) => {
    // After a longer time it may have been too old.
    if (nonce.accepted !== 1 || nowMs() - nonce.acceptedMs > 4 * spacingMs + 10_000) return;
    usedOnceInRow += 1;
    if (usedOnceInRow < ONCE_IN_A_ROW) return;
    singleUseUntilMs = nowMs() + RETRY_USED_MS;
    onSingleUse();
  };

  const share = (cameraId: string, nonce: Nonce) => {
    ownNonces.delete(cameraId);
    shared = nonce;
  };

  return {
    find,
    isLatest: (nonce) => nonce === shared,
    keep: (cameraId, challenge) => {
      // A camera may repeat a nonce to calls without credentials: its count goes on.
      if (find(cameraId)?.challenge.nonce === challenge.nonce) return;
      const nonce = newNonce(challenge, nowMs());
      if (isSingleUse() || ownNonces.get(cameraId)) ownNonces.set(cameraId, nonce);
      if (!isSingleUse()) shared = nonce;
    },
    onAccepted: (cameraId, nonce) => {
      nonce.accepted += 1;
      nonce.acceptedMs = nowMs();
      if (nonce.acceptedFrom.size < MAX_ACCEPTED_FROM) nonce.acceptedFrom.add(cameraId);
      if (nonce.accepted > 1) usedOnceInRow = 0;
    },
    onRefused: ({ cameraId, nonce, challenge, spacingMs }) => {
      const isOfRealm = !challenge || challenge.realm === nonce.challenge.realm;
      // Otherwise it may still be right for others.
      const isOver = isOfRealm && (nonce.accepted === 0 || nonce.acceptedFrom.has(cameraId));
      if (isOver && !nonce.isRefused) checkSingleUse(nonce, spacingMs);
      nonce.isRefused ||= isOver;
      const isOwn = ownNonces.get(cameraId) === nonce;
      const isOfOthers = !isOver && !isOwn;
      if (challenge) {
        const next = newNonce(challenge, nowMs());
        // One of its own that never worked may have been ended by a newer shared one.
        const staysOwn = isOwn && nonce.accepted > 0;
        if (isOfOthers || staysOwn || isSingleUse()) ownNonces.set(cameraId, next);
        else share(cameraId, next);
      }
      return isOfOthers || nonce.acceptedFrom.has(cameraId);
    },
  };
}

function newNonce(challenge: Challenge, receivedMs: number): Nonce {
  const sessionCnonce = randomBytes(16).toString('hex');
  const unused = { uses: 0, accepted: 0, acceptedMs: 0, isRefused: false };
  return { challenge, sessionCnonce, receivedMs, ...unused, acceptedFrom: new Set() };
}
