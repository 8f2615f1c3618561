import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Env } from '@lastframe/shared/settings/config';
import { killGroup } from '../kill-group.ts';

export type Kind = 'redis' | 'slow-server' | 'worker' | 'api';

export interface PartOptions {
  kind: Kind;
  /** The kind, with a number if there are several. */
  name: string;
  command: string;
  args: readonly string[];
  env: Env;
  onLine: (line: string) => void;
}

/** A running process of the demo. */
export type Part = ReturnType<typeof startPart>;

export function startPart({ kind, name, command, args, env, onLine }: PartOptions) {
  // In its own process group: Ctrl-C reaches only `make up`, which stops the parts in order.
  const child = spawn(command, args, {
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastOfStdout = readLines(child.stdout, onLine);
  const lastOfStderr = readLines(child.stderr, onLine);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot be started (${error.message})`));
    // Not `exit`, so that its last lines have been read.
    child.once('close', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
    );
  });
  return {
    kind,
    name,
    /** Undefined when it could not be started. */
    pid: child.pid,
    /** How it ended, e.g. `ended with exit code 1`. Never rejects. */
    ended,
    /** Returns the last line on stderr, or else on stdout. */
    lastOutput: () => lastOfStderr() || lastOfStdout(),
    /** Sends SIGTERM, then SIGKILL after the grace period. Resolves when it has ended. */
    stop: async (graceMs: number) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
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
