import { cpuMs } from '../../testing/fleet/proc.ts';
import { type BenchContext, type Measured, rowsOf } from '../figures/figure.ts';
import { type WrkResult, wrk } from './wrk.ts';

export interface LoadedServer {
  url: string;
  /** The process that serves requests. */
  pid: number;
}

export interface PairedLoad {
  /** The case, such as `2 KB frame`. */
  of: string;
  path: string;
  headers?: Record<string, string>;
  seconds: number;
  rounds: number;
}

type ServerResult = WrkResult & { cpuUsPerHit: number };

/** By the server's name. */
export type Round = Record<string, ServerResult>;

/**
 * Loads every server once per round, in rotating order, so that other load on the machine affects
 * all of them. The first round is a warm-up and does not count; a quick run omits it. Returns the
 * rounds in order, so that ratios can be taken within each.
 */
export async function pairedRounds(
  servers: Readonly<Record<string, LoadedServer>>,
  load: PairedLoad,
  { quick, showProgress }: BenchContext,
): Promise<Round[]> {
  const names = Object.keys(servers);
  const lastRound = quick ? 1 : load.rounds;
  const results: Round[] = [];
  for (let round = quick ? 1 : 0; round <= lastRound; round += 1) {
    const result: Round = {};
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] ?? '';
      const server = servers[name];
      showProgress(`${load.of}: round ${round} of ${lastRound}, ${name}`);
      if (server) result[name] = await loadServer(server, load, quick);
    }
    if (round > 0) results.push(result);
  }
  return results;
}

async function loadServer(
  { url, pid }: LoadedServer,
  { path, headers = {}, seconds }: PairedLoad,
  quick: boolean,
): Promise<ServerResult> {
  const before = await cpuMs(pid);
  const result = await wrk(url + path, headers, quick ? 1 : seconds);
  return { ...result, cpuUsPerHit: (1000 * ((await cpuMs(pid)) - before)) / result.requests };
}

/** Returns one server's value in each round. */
export function inEachRound(rounds: readonly Round[], name: string, key: keyof ServerResult) {
  return rounds.map((round) => round[name]?.[key] ?? Number.NaN);
}

/** Returns the ratio of two servers' values within each round. */
export function ratios(
  rounds: readonly Round[],
  [name, other]: [string, string],
  key: keyof ServerResult,
) {
  return rounds.map((round) => (round[name]?.[key] ?? 0) / (round[other]?.[key] ?? 0));
}

/** Returns the rows of these servers. */
export function serverRows(of: string, names: string[], rounds: readonly Round[]): Measured[] {
  const row = rowsOf(of);
  return names.flatMap((name) => [
    row(`${name}, CPU per hit`, 'µs', inEachRound(rounds, name, 'cpuUsPerHit')),
    row(name, 'hits/s', inEachRound(rounds, name, 'perSecond')),
    row(`${name}, p99`, 'ms', inEachRound(rounds, name, 'p99Ms')),
  ]);
}
