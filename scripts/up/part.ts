import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Env } from '../env-file.ts';

export type Kind = 'redis' | 'slow-server' | 'worker' | 'api';

export interface PartOptions {
  kind: Kind;
  /** The kind, with a number where there are several. */
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
  /** The last line that it printed on stderr, or else on stdout. */
  lastWords(): string;
  /** SIGTERM, and SIGKILL after the grace; resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
  killNow(): void;
}

export function startPart(options: PartOptions): Part {
  const { kind, name, command, args, env, cwd, onLine } = options;
  // A process group of its own: the terminal's Ctrl-C reaches `make up` only, which keeps the order.
  const child = spawn(command, args, {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastOfStdout = followLines(child.stdout, onLine);
  const lastOfStderr = followLines(child.stderr, onLine);
  const ended = endOf(child);
  const killNow = () => killGroup(child);
  return {
    kind,
    name,
    pid: child.pid,
    ended,
    lastWords: () => lastOfStderr() || lastOfStdout(),
    stop: async (graceMs) => {
      child.kill('SIGTERM');
      const timer = setTimeout(killNow, graceMs);
      await ended.finally(() => clearTimeout(timer));
    },
    killNow,
  };
}

/** Gives the last line that was not blank. */
function followLines(input: Readable, onLine: (line: string) => void): () => string {
  let last = '';
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    last = line.trim() || last;
    onLine(line);
  });
  return () => last;
}

/** `close` and not `exit`: its last lines have been read by then. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`can not be started (${error.message})`));
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
