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
  return [
    ...evidence.deaths.map((death) => `no process ends: ${death}`),
    ...viewersHarmed(evidence),
    ...memoryExceeded(evidence),
    ...probesUnanswered(evidence.observed),
    ...guaranteeBreached(evidence),
    ...credentialsLeaked(evidence),
  ];
}

function viewersHarmed({ quiet, attacked, isStrict, observed, quietSlowdown }: Evidence): string[] {
  const leniency = { isStrict, slowdown: observed.slowdown, quietSlowdown };
  const [maxMs, maxHitMs] = [maxAgeMs(CAMERA_MS, leniency), maxP99Ms(quiet.p99Ms, leniency)];
  const { oldestMs, p99Ms, failures } = attacked;
  return [
    exceeds('watched cameras stay fresh: the oldest picture was', oldestMs, maxMs, 'ms old'),
    exceeds('hits stay fast: their p99 was', p99Ms, maxHitMs, 'ms'),
    failures.length > 0 &&
      `viewers are served: ${failures.length} failures, such as ${sample(failures)}`,
  ].filter((line) => typeof line === 'string');
}

function memoryExceeded({ isStrict, observed }: Evidence): string[] {
  const { apiMiB, workerMiB, redisMiB } = observed;
  return [
    exceeds("an api's memory is bounded: it had", apiMiB, maxApiMiB(isStrict), 'MiB'),
    exceeds("a worker's memory is bounded: it had", workerMiB, MAX_WORKER_MIB, 'MiB'),
    exceeds('Redis stays below maxmemory: it had', redisMiB, MAX_REDIS_MIB, 'MiB'),
  ].filter((line) => line !== undefined);
}

function probesUnanswered({ failedProbes }: Observations): string[] {
  if (failedProbes.length === 0) return [];
  return [`probes are answered: ${failedProbes.length} failed, such as ${sample(failedProbes)}`];
}

function guaranteeBreached({ verdicts }: Evidence): string[] {
  return Object.entries(verdicts).flatMap(([cameras, { breaches }]) =>
    breaches.map((breach) => `at most one call per interval (${cameras} cameras): ${breach}`),
  );
}

/** The source with credentials allows only paths below `/live/`. */
function credentialsLeaked({ hostileCalls }: Evidence): string[] {
  const leaked = hostileCalls.filter(
    ({ name, hasCredentials }) =>
      name.includes('admin') || (hasCredentials && !name.startsWith('/digest/')),
  );
  const paths = [...new Set(leaked.map(({ name }) => name))];
  return paths.map((path) => `a pattern's credentials stay below its path: ${path} was called`);
}

function exceeds(what: string, value: number, most: number, unit: string): string | undefined {
  if (value <= most) return undefined;
  return `${what} ${value.toFixed(1)} ${unit}; the limit is ${most.toFixed(1)}`;
}

function sample(lines: readonly string[]): string {
  return [...new Set(lines)].slice(0, 3).join('; ');
}
