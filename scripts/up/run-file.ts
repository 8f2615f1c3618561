import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from '../kill-group.ts';
import { stopInOrder } from './closing-order.ts';
import { processBirth } from './process-birth.ts';

/** A process of a run of `make up`, for the next run to find if this one is killed. */
interface RunProcess {
  /** `up` for the process of the run itself. */
  kind: string;
  pid: number;
  birth: string;
}

export interface RunFile {
  /** Records a started process, which leads its own process group. */
  record(kind: string, pid: number): void;
  remove(): void;
}

/**
 * Makes this process the folder's only `make up`: two of them would write the same Redis files.
 * Ends the processes that an earlier, killed one left behind.
 * @param onLeftovers called before they are ended
 * @throws Error when another one is running
 */
export async function claimRun(
  path: string,
  onLeftovers: (kinds: readonly string[]) => void,
): Promise<RunFile> {
  const alive = readRun(path).filter(isAlive);
  const up = alive.find(({ kind }) => kind === 'up');
  if (up) {
    throw new Error(
      `make up is already running in this folder (process ${up.pid}): stop it there with Ctrl-C.`,
    );
  }
  if (alive.length > 0) onLeftovers(alive.map(({ kind }) => kind));
  await stopInOrder(alive, end);

  const run: RunProcess[] = [];
  const record = (kind: string, pid: number) => {
    run.push({ kind, pid, birth: processBirth(pid) ?? '' });
    // By rename: a kill halfway must not lose the processes recorded so far.
    writeFileSync(`${path}.new`, JSON.stringify(run));
    renameSync(`${path}.new`, path);
  };
  mkdirSync(dirname(path), { recursive: true });
  record('up', process.pid);
  return { record, remove: () => rmSync(path, { force: true }) };
}

function readRun(path: string): RunProcess[] {
  try {
    const run: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(run) ? run : [];
  } catch {
    // missing or invalid
    return [];
  }
}

function isAlive({ pid, birth }: RunProcess): boolean {
  return birth !== '' && processBirth(pid) === birth;
}

async function end(leader: RunProcess, graceMs: number): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  killGroup(leader, 'SIGTERM');
  while (isAlive(leader)) {
    if (performance.now() > deadlineMs) killGroup(leader, 'SIGKILL');
    await sleep(50);
  }
}
