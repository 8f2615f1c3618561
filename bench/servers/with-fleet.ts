import type { Verdict } from '../../testing/checks/checker.ts';
import { guaranteeRows, type Measured } from '../figures/figure.ts';

interface AnyFleet {
  check(): Promise<Verdict>;
  stop(): Promise<void>;
}

/** Measures on a fleet, adds the checker's verdict over the cameras' log, and stops the fleet. */
export async function withFleet<F extends AnyFleet>(
  of: string,
  fleet: F,
  measure: (fleet: F) => Promise<Measured[]>,
): Promise<Measured[]> {
  try {
    const measured = await measure(fleet);
    return [...measured, ...guaranteeRows(of, await fleet.check())];
  } finally {
    await fleet.stop();
  }
}
