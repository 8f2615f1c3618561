import type { Verdict } from '../../../testing/checks/checker.ts';
import { CAMERA_MS } from './attacked-fleet.ts';
import type { HostileCall } from './cameras/request-log.ts';
import { MAX_REDIS_MIB, MAX_WORKER_MIB, maxAgeMs, maxApiMiB, maxP99Ms } from './limits.ts';
import type { Observations } from './observe.ts';
import type { ViewerFigures } from './viewer-figures.ts';

export interface Evidence {
  isStrict: boolean;
  quiet: ViewerFigures;
  attacked: ViewerFigures;
  observed: Observations;
  /** As `Observations.slowdown`, before the attack. */
  quietSlowdown: number;
  deaths: readonly string[];
  verdicts: Readonly<Record<string, Verdict>>;
  hostileCalls: readonly HostileCall[];
}

/** Returns a sentence with figures for each promise that the attack broke. */
export function brokenPromises(evidence: Evidence): string[] {
  const { isStrict, quiet, attacked, observed, quietSlowdown, deaths, verdicts } = evidence;
  const { apiMiB, workerMiB, redisMiB, slowdown, failedProbes } = observed;
  const leniency = { isStrict, slowdown, quietSlowdown };
  const oldestMs = maxAgeMs(CAMERA_MS, leniency);
  const slowestP99Ms = maxP99Ms(quiet.p99Ms, leniency);
  return [
    ...deaths.map((death) => `no process ends: ${death}`),
    exceeds(
      'watched cameras stay fresh: the oldest picture was',
      attacked.oldestMs,
      oldestMs,
      'ms old',
    ),
    exceeds('hits stay fast: their p99 was', attacked.p99Ms, slowestP99Ms, 'ms'),
    someOf('viewers are served', attacked.failures, 'failures'),
    exceeds("an api's memory is bounded: it had", apiMiB, maxApiMiB(isStrict), 'MiB'),
    exceeds("a worker's memory is bounded: it had", workerMiB, MAX_WORKER_MIB, 'MiB'),
    exceeds('Redis stays below maxmemory: it had', redisMiB, MAX_REDIS_MIB, 'MiB'),
    someOf('probes are answered', failedProbes, 'failed'),
    ...Object.entries(verdicts).flatMap(([cameras, { breaches }]) =>
      breaches.map((breach) => `at most one call per interval (${cameras} cameras): ${breach}`),
    ),
    ...leakedTo(evidence.hostileCalls).map(
      (path) => `a pattern's credentials stay below its path: ${path} was called`,
    ),
  ].filter((line) => line !== undefined);
}

/** The source with credentials allows only paths below `/live/`. */
function leakedTo(calls: readonly HostileCall[]): string[] {
  const leaked = calls.filter(
    ({ name, hasCredentials }) =>
      name.includes('admin') || (hasCredentials && !name.startsWith('/digest/')),
  );
  return [...new Set(leaked.map(({ name }) => name))];
}

function exceeds(what: string, value: number, most: number, unit: string): string | undefined {
  if (value <= most) return undefined;
  return `${what} ${value.toFixed(1)} ${unit}; the limit is ${most.toFixed(1)}`;
}

function someOf(promise: string, lines: readonly string[], what: string): string | undefined {
  if (lines.length === 0) return undefined;
  const sample = [...new Set(lines)].slice(0, 3).join('; ');
  return `${promise}: ${lines.length} ${what}, such as ${sample}`;
}
