import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Env } from '../env-file.ts';

export type Kind = 'redis' | 'slow-server' | 'worker' | 'api';

export interface PartOptions {
  kind: Kind;
  /** The kind, with a number if there are several. */
  name: string;
  command: string;
  args: readonly string[];
  env: Env;
  cwd: string;
  onLine: (line: string) => void;
}

/** A running process of the demo. */
export interface Part {
  readonly kind: Kind;
  readonly name: string;
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** How it ended, e.g. `ended with exit code 1`. Never rejects. */
  readonly ended: Promise<string>;
  /** Returns the last line on stderr, or else on stdout. */
  lastOutput(): string;
  /** Sends SIGTERM, then SIGKILL after the grace period. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
  killNow(): void;
}

export function startPart(options: PartOptions): Part {
  const { kind, name, command, args, env, cwd, onLine } = options;
  // In its own process group: Ctrl-C reaches only `make up`, which stops the parts in order.
  const child = spawn(command, args, {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastOfStdout = readLines(child.stdout, onLine);
  const lastOfStderr = readLines(child.stderr, onLine);
  const ended = endOf(child);
  const killNow = () => killGroup(child);
  return {
    kind,
    name,
    pid: child.pid,
    ended,
    lastOutput: () => lastOfStderr() || lastOfStdout(),
    stop: async (graceMs) => {
      child.kill('SIGTERM');
      const timer = setTimeout(killNow, graceMs);
      await ended.finally(() => clearTimeout(timer));
    },
    killNow,
  };
}

/** Passes on each line; the returned function returns the last non-blank one. */
function readLines(input: Readable, onLine: (line: string) => void): () => string {
  let last = '';
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    last = line.trim() || last;
    onLine(line);
  });
  return () => last;
}

/** Waits for `close`, not `exit`, so that its last lines have been read. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`cannot be started (${error.message})`));
    child.once('close', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
    );
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
