import { parseDurationMs } from '@lastframe/shared/settings/units';
import { chosenAttacks } from './attackers/names.ts';

export const INTERVAL_MS = 1000;
export const TIMEOUT_MS = 4000;
export const MEMORY_LIMIT_MIB = 64;
export const MAX_UNSENT_MIB = 64;
/** Made-up cameras pass 70 % of it in about ten seconds. */
export const MAX_REDIS_MIB = 256;

/** Node, the code, and bytes on their way; an api's as in the chart's check of its pod's memory. */
const API_CONSTANT_MIB = 384;
const WORKER_CONSTANT_MIB = 320;
const MAX_API_MIB = MEMORY_LIMIT_MIB + API_CONSTANT_MIB + MAX_UNSENT_MIB;
/** A worker has room for 256 MiB of bodies; their pieces are collected later than they are let go. */
export const MAX_WORKER_MIB = 2 * 256 + WORKER_CONSTANT_MIB;

/** Of a hit that often waits for a CPU. */
const BUSY_P99_MS = 200;

/** How long to attack and how strictly to judge, from the environment. */
export function readSettings(env: NodeJS.ProcessEnv) {
  const durationMs = parseDurationMs(env.DURATION || '30s');
  if (durationMs === undefined) throw new Error('DURATION must be a duration like 30s or 2m');
  const isStrict = env.STRICT === 'true';
  return { durationMs, isStrict, attacks: chosenAttacks(env.ATTACKS) };
}

/** `make attack` has the machine for itself. Other tests may leave the suite a small part of it. */
function busyFactor({ isStrict, slowdown }: Leniency): number {
  return isStrict ? 1 : Math.max(5, slowdown);
}

export interface Leniency {
  isStrict: boolean;
  slowdown: number;
}

/** On a busy machine garbage is collected later. */
export function maxApiMiB(isStrict: boolean): number {
  return isStrict ? MAX_API_MIB : 1.25 * MAX_API_MIB;
}

/** A frame may be an interval and a call old, and two seconds more. */
export function maxAgeMs(callMs: number, leniency: Leniency): number {
  return INTERVAL_MS + callMs + 2000 * busyFactor(leniency);
}

/**
 * Hits may take three times as long as before the attack. What the attackers and their cameras take
 * from the fleet by running on the same machine is not its fault: on one with cores to spare the
 * slowdowns are the same, and nothing is added.
 */
export function maxP99Ms(
  quietP99Ms: number,
  leniency: Leniency & { quietSlowdown: number },
): number {
  const { slowdown, quietSlowdown } = leniency;
  const most = 3 * quietP99Ms * Math.max(1, slowdown / quietSlowdown);
  return leniency.isStrict ? most : Math.max(most, BUSY_P99_MS * busyFactor(leniency));
}
