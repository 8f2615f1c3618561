import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Api, Fleet } from '../../testing/fleet/fleet.ts';

/** The server has one core, the load generator the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Pins a running process, with all its threads, to one core. */
export function pinToCore(pid: number, core: number): void {
  const args = ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)];
  try {
    execFileSync('taskset', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    throw new Error('taskset cannot be run (Debian: util-linux)', { cause });
  }
}

/**
 * Returns the fleet's only api process, pinned to the server's core.
 * @throws Error when there is only one core, or no taskset
 */
export function pinnedApi({ apis: [api] }: Fleet): Api {
  if (!api) throw new Error('no api was started');
  if (availableParallelism() < 2) throw new Error('figures per core need two cores');
  pinToCore(api.pid, SERVER_CORE);
  return api;
}

/** Returns the start of a command line that runs `command` on one core. */
export function onCore(core: number, command: string): [string, ...string[]] {
  return ['taskset', '--cpu-list', String(core), command];
}
