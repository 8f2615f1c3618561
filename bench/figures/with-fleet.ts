import { type Fleet, type FleetOptions, startFleet } from '../../testing/fleet/fleet.ts';

/**
 * Measures on a fleet, then stops it.
 * @throws Error when the cameras' log shows a breach of the guarantee
 */
export async function withFleet<Result>(
  options: FleetOptions,
  measure: (fleet: Fleet) => Promise<Result>,
): Promise<Result> {
  const fleet = await startFleet(options);
  try {
    const result = await measure(fleet);
    await fleet.check();
    return result;
  } finally {
    await fleet.stop();
  }
}
