import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopInOrder } from './closing-order.ts';
import type { Kind } from './part.ts';
import { processBirth } from './process-birth.ts';

interface Mark {
  pid: number;
  birth: string;
}

interface PartMark extends Mark {
  kind: Kind;
}

/** Which processes a run of `make up` consists of; the next one reads it, should this one be killed. */
interface Run {
  up: Mark;
  parts: PartMark[];
}

export interface RunFile {
  /** Notes a started process. */
  note(kind: Kind, pid: number): void;
  remove(): void;
}

export type Claim = { outcome: 'claimed'; file: RunFile } | { outcome: 'taken'; pid: number };

/**
 * Makes this process the folder's only `make up`: two of them would write one Redis's files.
 * Ends what an earlier one left behind when it was killed.
 * @param onLeftovers called before they are ended
 */
export async function claimRun(
  path: string,
  onLeftovers: (kinds: readonly Kind[]) => void,
): Promise<Claim> {
  const earlier = readRun(path);
  if (earlier && isAlive(earlier.up)) return { outcome: 'taken', pid: earlier.up.pid };
  const leftovers = earlier?.parts.filter(isAlive) ?? [];
  if (leftovers.length > 0) onLeftovers(leftovers.map(({ kind }) => kind));
  await stopInOrder(leftovers, end);

  const run: Run = { up: markOf(process.pid), parts: [] };
  const write = () => {
    // By rename: a kill in the middle must not lose the processes noted so far.
    writeFileSync(`${path}.new`, JSON.stringify(run));
    renameSync(`${path}.new`, path);
  };
  mkdirSync(dirname(path), { recursive: true });
  write();
  const note = (kind: Kind, pid: number) => {
    run.parts.push({ kind, ...markOf(pid) });
    write();
  };
  return { outcome: 'claimed', file: { note, remove: () => rmSync(path, { force: true }) } };
}

function readRun(path: string): Run | undefined {
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as Partial<Run>;
    return run.up && Array.isArray(run.parts) ? (run as Run) : undefined;
  } catch {
    // Not there, or not ours: then nothing is known.
    return undefined;
  }
}

function markOf(pid: number): Mark {
  return { pid, birth: processBirth(pid) ?? '' };
}

function isAlive({ pid, birth }: Mark): boolean {
  return birth !== '' && processBirth(pid) === birth;
}

async function end(mark: Mark, graceMs: number): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  signal(mark, 'SIGTERM');
  while (isAlive(mark) && performance.now() < deadlineMs) await sleep(50);
  signal(mark, 'SIGKILL');
  while (isAlive(mark)) await sleep(20);
}

function signal(mark: Mark, name: NodeJS.Signals): void {
  if (!isAlive(mark)) return;
  try {
    process.kill(mark.pid, name);
  } catch {
    // It ended by itself in between.
  }
}
