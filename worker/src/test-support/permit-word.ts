import type { Take } from '../permit/permits.ts';

/** The outcome in one word: `granted`, the reason of a denial, or `unknown: why`. */
export function wordOf(taken: Take): string {
  if (taken.outcome === 'granted') return 'granted';
  return taken.outcome === 'denied' ? taken.reason : `unknown: ${taken.reason}`;
}

export function granted(taken: Take) {
  if (taken.outcome !== 'granted') throw new Error(`not granted: ${wordOf(taken)}`);
  return taken.permit;
}

export function denied(taken: Take) {
  if (taken.outcome !== 'denied') throw new Error(`not denied: ${wordOf(taken)}`);
  return taken;
}
