import type { Clock } from '@lastframe/shared/process/clock';
import type { ReserveSlot } from './waiting-slots.ts';

interface WaitDeps {
  clock: Pick<Clock, 'sleep'>;
  closing: AbortSignal;
  reserveWaitingSlot: ReserveSlot;
}

/** Returns false if the process closes, or if too many jobs wait already. */
export async function waitInPlace(
  waitMs: number,
  { clock, closing, reserveWaitingSlot }: WaitDeps,
): Promise<boolean> {
  const releaseSlot = reserveWaitingSlot();
  if (!releaseSlot) return false;
  try {
    await clock.sleep(waitMs + 1, closing);
    return true;
  } catch {
    return false;
  } finally {
    releaseSlot();
  }
}
