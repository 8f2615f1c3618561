/**
 * Limits how often one login is tried at one origin, because many cameras lock a user out after a
 * few wrong passwords. Until the login has worked, the limit is for all cameras of the origin; then
 * for each, because a user may lack access to some of them.
 */
export interface LoginAttempts {
  /** Whether the camera accepted these credentials, and has not come to reject them since. */
  readonly hasWorked: boolean;
  /**
   * Returns whether a call may send credentials now.
   * @param trialMs until they have worked, one call at a time may try them, for this long
   */
  begin(cameraId: string, trialMs: number): boolean;
  onAccepted(cameraId: string): void;
  onRejected(cameraId: string, fault: string): void;
  /** A response that says nothing about the password. */
  onUnclear(cameraId: string): void;
  /** A 401 that may have another reason than the password; returns whether to try once more. */
  onDoubt(cameraId: string, maxInRow: number): boolean;
  /** Why credentials are held back after rejections, if they are. */
  whyPaused(cameraId: string): string | undefined;
}

interface Tries {
  hasWorked: boolean;
  rejections: number;
  doubts: number;
  nextMs: number;
  fault: string;
  /** The camera that tried last: its call is over when it begins another. */
  cameraId?: string;
}

/** After the first rejection, the second, and every later one. */
const PAUSES_MS = [0, 60_000, 600_000];
/**
 * So many cameras that worked reject the login, without a success in between: the password was
 * changed. Cameras that never worked don't count, because viewers can make them up.
 */
const REJECTED_CAMERAS = 3;
const MAX_CAMERAS = 1000;

/** @param nowMs a clock that never goes back */
export function createLoginAttempts(nowMs: () => number): LoginAttempts {
  let hasWorked = false;
  let shared = newTries();
  const perCamera = new Map<string, Tries>();
  const rejectedCameras = new Set<string>();

  const setTries = (cameraId: string, tries: Tries) => {
    perCamera.delete(cameraId);
    const [oldest] = perCamera.size >= MAX_CAMERAS ? perCamera.keys() : [];
    if (oldest !== undefined) perCamera.delete(oldest);
    perCamera.set(cameraId, tries);
    return tries;
  };
  const triesOf = (cameraId: string): Tries =>
    hasWorked ? (perCamera.get(cameraId) ?? setTries(cameraId, newTries())) : shared;
  const clearReservation = (tries: Tries) => {
    if (pauseOf(tries) === 0) tries.nextMs = Number.NEGATIVE_INFINITY;
  };

  return {
    get hasWorked() {
      return hasWorked;
    },
    begin: (cameraId, trialMs) => {
      const tries = hasWorked ? perCamera.get(cameraId) : shared;
      if (!tries) return true;
      if (nowMs() < tries.nextMs) return tries.cameraId === cameraId && pauseOf(tries) === 0;
      tries.cameraId = cameraId;
      tries.nextMs = nowMs() + Math.max(trialMs, pauseOf(tries));
      return true;
    },
    onAccepted: (cameraId) => {
      hasWorked = true;
      shared = newTries();
      setTries(cameraId, { ...newTries(), hasWorked });
      rejectedCameras.clear();
    },
    onRejected: (cameraId, fault) => {
      if (perCamera.get(cameraId)?.hasWorked) rejectedCameras.add(cameraId);
      if (rejectedCameras.size >= REJECTED_CAMERAS) {
        hasWorked = false;
        perCamera.clear();
        rejectedCameras.clear();
      }
      const tries = triesOf(cameraId);
      Object.assign(tries, { rejections: tries.rejections + 1, fault });
      tries.nextMs = nowMs() + pauseOf(tries);
    },
    onUnclear: (cameraId) => clearReservation(triesOf(cameraId)),
    onDoubt: (cameraId, maxInRow) => {
      const tries = triesOf(cameraId);
      clearReservation(tries);
      tries.doubts += 1;
      return tries.doubts <= maxInRow;
    },
    whyPaused: (cameraId) => {
      const tries = hasWorked ? perCamera.get(cameraId) : shared;
      const isPaused = tries && pauseOf(tries) > 0 && nowMs() < tries.nextMs;
      return isPaused ? tries.fault : undefined;
    },
  };
}

function newTries(): Tries {
  const nextMs = Number.NEGATIVE_INFINITY;
  return { hasWorked: false, rejections: 0, doubts: 0, nextMs, fault: '' };
}

function pauseOf({ rejections }: Tries): number {
  return PAUSES_MS[Math.min(rejections, PAUSES_MS.length) - 1] ?? 0;
}
