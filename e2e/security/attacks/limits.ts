import { parseDurationMs } from '@lastframe/shared/settings/units';
import { parseAttackNames } from './attackers/attacks.ts';

export const INTERVAL_MS = 1000;
export const TIMEOUT_MS = 4000;
export const MEMORY_LIMIT_MIB = 64;
export const MAX_UNSENT_MIB = 64;
/** Made-up cameras pass 70 % of it in about ten seconds. */
export const MAX_REDIS_MIB = 256;

/** For Node, code and bytes in transit. The api's is that of the chart's check of pod memory. */
const API_CONSTANT_MIB = 384;
const WORKER_CONSTANT_MIB = 320;
const MAX_API_MIB = MEMORY_LIMIT_MIB + API_CONSTANT_MIB + MAX_UNSENT_MIB;
/** A worker has room for 256 MiB of bodies; released bodies stay in memory until collected. */
export const MAX_WORKER_MIB = 2 * 256 + WORKER_CONSTANT_MIB;

/** For hits that often wait for a CPU. */
const BUSY_P99_MS = 200;

/** Reads the duration, strictness and attacks from the environment. */
export function readSettings(env: NodeJS.ProcessEnv) {
  const durationMs = parseDurationMs(env.DURATION || '12s');
  if (durationMs === undefined) throw new Error('DURATION must be a duration like 30s or 2m');
  const isStrict = env.STRICT === 'true';
  return { durationMs, isStrict, attacks: parseAttackNames(env.ATTACKS) };
}

/** `make attack` has the machine to itself. Other tests may leave the suite little of it. */
function busyFactor({ isStrict, slowdown }: Leniency): number {
  return isStrict ? 1 : Math.max(5, slowdown);
}

export interface Leniency {
  isStrict: boolean;
  slowdown: number;
}

/** Allows more on a busy machine, where garbage is collected later. */
export function maxApiMiB(isStrict: boolean): number {
  return isStrict ? MAX_API_MIB : 1.25 * MAX_API_MIB;
}

/** Allows a frame to be as old as an interval, a call and two seconds. */
export function maxAgeMs(callMs: number, leniency: Leniency): number {
  return INTERVAL_MS + callMs + 2000 * busyFactor(leniency);
}

/**
 * Allows hits three times the latency from before the attack, and more if the fleet waits for CPUs
 * that attackers and cameras use, because real ones have their own. With cores to spare, both
 * slowdowns are equal and nothing is added.
 */
export function maxP99Ms(
  quietP99Ms: number,
  leniency: Leniency & { quietSlowdown: number },
): number {
  const { slowdown, quietSlowdown } = leniency;
  const most = 3 * quietP99Ms * Math.max(1, slowdown / quietSlowdown);
  return leniency.isStrict ? most : Math.max(most, BUSY_P99_MS * busyFactor(leniency));
}
