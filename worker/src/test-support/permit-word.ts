import type { TakeResult } from '../permit/permits.ts';

/** Returns the outcome in short: `granted`, the reason of a denial, or `unknown: why`. */
export function wordOf(take: TakeResult): string {
  if (take.outcome === 'granted') return 'granted';
  return take.outcome === 'denied' ? take.reason : `unknown: ${take.reason}`;
}

export function expectGranted(take: TakeResult) {
  if (take.outcome !== 'granted') throw new Error(`not granted: ${wordOf(take)}`);
  return take.permit;
}

export function expectDenied(take: TakeResult) {
  if (take.outcome !== 'denied') throw new Error(`not denied: ${wordOf(take)}`);
  return take;
}
