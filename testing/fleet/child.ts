import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One of our processes, started for a test. */
export interface Child {
  readonly pid: number;
  /** Its `listening` log line. */
  readonly listening: Readonly<Record<string, unknown>>;
  readonly logs: readonly LogLine[];
  readonly hasEnded: boolean;
  /** Waits for a log line with this message, past ones included. */
  waitForLog(message: string, timeoutMs?: number): Promise<LogLine>;
  /** Sends the signal and waits for the exit. Returns the exit code, or null after a signal. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Sends the signal without waiting. */
  signal(signal: NodeJS.Signals): void;
}

export type LogLine = Readonly<Record<string, unknown>> & { msg?: string; level?: unknown };

export interface ChildOptions {
  /** Path of another Node than that of the tests. */
  node?: string;
  args?: string[];
  cwd?: string;
  uid?: number;
  gid?: number;
}

/** Hundreds of processes are started; without a cache each would compile the same files. */
export const COMPILE_CACHE = join(import.meta.dirname, '../../.lastframe/compile-cache');

/** Starts `node <script>` with exactly this environment and waits until it listens. */
export async function startChild(
  script: string,
  env: Record<string, string>,
  { node = process.execPath, args = [], ...spawnOptions }: ChildOptions = {},
): Promise<Child> {
  const { PATH = '', LD_PRELOAD = '' } = { ...process.env, ...env };
  const child = spawn(node, [script, ...args], {
    ...spawnOptions,
    env: {
      PATH,
      ...(LD_PRELOAD && { LD_PRELOAD }),
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logs: LogLine[] = [];
  const { logged, stderr } = followLogs(child, logs);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const listening = await Promise.race([
    logged('listening', 60_000),
    ended.then((code) => {
      throw new Error(`${script} ended with ${code} before it listened: ${stderr()}`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    listening,
    logs,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    waitForLog: logged,
    end: async (signal = 'SIGTERM') => {
      child.kill('SIGCONT');
      child.kill(signal);
      return await ended;
    },
    signal: (signal) => void child.kill(signal),
  };
}

function followLogs(child: ChildProcess, logs: LogLine[]) {
  const waiting = new Set<() => void>();
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      logs.push(parseLine(line));
      for (const check of waiting) check();
    });
  }
  const logged = (message: string, timeoutMs = 30_000) =>
    new Promise<LogLine>((resolve, reject) => {
      const check = () => {
        const found = logs.find(({ msg }) => msg === message);
        if (!found) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(check);
        reject(new Error(`no "${message}" within ${timeoutMs} ms; stderr: ${stderr}`));
      }, timeoutMs);
      waiting.add(check);
      check();
    });
  return { logged, stderr: () => stderr };
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}
