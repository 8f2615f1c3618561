import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopInOrder } from './closing-order.ts';
import type { Kind } from './part.ts';
import { processBirth } from './process-birth.ts';

interface ProcessIdentity {
  pid: number;
  birth: string;
}

interface PartIdentity extends ProcessIdentity {
  kind: Kind;
}

/** The processes of a run of `make up`, for the next one to read if this one is killed. */
interface Run {
  up: ProcessIdentity;
  parts: PartIdentity[];
}

export interface RunFile {
  /** Records a started process. */
  recordPart(kind: Kind, pid: number): void;
  remove(): void;
}

export type Claim = { outcome: 'claimed'; file: RunFile } | { outcome: 'taken'; pid: number };

/**
 * Makes this process the folder's only `make up`: two of them would write the same Redis files.
 * Ends the processes that an earlier, killed one left behind.
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

  const run: Run = { up: identityOf(process.pid), parts: [] };
  const write = () => {
    // By rename: a kill halfway must not lose the processes recorded so far.
    writeFileSync(`${path}.new`, JSON.stringify(run));
    renameSync(`${path}.new`, path);
  };
  mkdirSync(dirname(path), { recursive: true });
  write();
  const recordPart = (kind: Kind, pid: number) => {
    run.parts.push({ kind, ...identityOf(pid) });
    write();
  };
  return {
    outcome: 'claimed',
    file: { recordPart, remove: () => rmSync(path, { force: true }) },
  };
}

function readRun(path: string): Run | undefined {
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as Partial<Run>;
    return run.up && Array.isArray(run.parts) ? (run as Run) : undefined;
  } catch {
    // missing or invalid
    return undefined;
  }
}

function identityOf(pid: number): ProcessIdentity {
  return { pid, birth: processBirth(pid) ?? '' };
}

function isAlive({ pid, birth }: ProcessIdentity): boolean {
  return birth !== '' && processBirth(pid) === birth;
}

async function end(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  signal(identity, 'SIGTERM');
  while (isAlive(identity) && performance.now() < deadlineMs) await sleep(50);
  signal(identity, 'SIGKILL');
  while (isAlive(identity)) await sleep(20);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // it has ended in between
  }
}
