import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The server has one core, the load generator the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** @throws Error when there is only one core, or no taskset */
export function requireTwoCores(): void {
  if (availableParallelism() < 2) throw new Error('the benchmarks need two cores');
  run('taskset', ['--version'], 'taskset (Debian: util-linux)');
}

/** Pins a running process, with all its threads, to one core. */
export function pinToCore(pid: number, core: number): void {
  run('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], 'taskset');
}

/** Returns the start of a command line that runs `command` on one core. */
export function onCore(core: number, command: string): [string, ...string[]] {
  return ['taskset', '--cpu-list', String(core), command];
}

/** Returns the user and kernel time of all threads of a process so far (Linux). */
export function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const runNs = tasks.map((task) => {
    const [ns] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return Number(ns);
  });
  return runNs.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

function run(command: string, args: string[], label: string): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    throw new Error(`${label} cannot be run`, { cause });
  }
}
