import { spawn } from 'node:child_process';
import type { Env } from '../env-file.ts';

export interface ToolOptions {
  command: string;
  args: readonly string[];
  env: Env;
  cwd: string;
  /** Shows its output as it comes, instead of keeping it. */
  live: boolean;
  signal: AbortSignal;
}

export interface ToolResult {
  succeeded: boolean;
  output: string;
}

const GRACE_MS = 10_000;

/** Runs a tool in its own process group, and leaves no process of the group behind. */
export async function runTool(options: ToolOptions): Promise<ToolResult> {
  const { command, args, env, cwd, live, signal } = options;
  if (signal.aborted) return { succeeded: false, output: 'interrupted' };
  const out = live ? 'inherit' : 'pipe';
  const child = spawn(command, args, {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', out, out],
  });
  const kept: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => kept.push(data));
  // Leftover processes hold the output open, so `close` comes only after they have ended.
  child.once('exit', () => killGroup(child.pid, 'SIGKILL'));
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      kept.push(Buffer.from(`${error.message}\n`));
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  const stop = () => stopGroup(child.pid, ended);
  signal.addEventListener('abort', stop, { once: true });
  const succeeded = await ended;
  signal.removeEventListener('abort', stop);
  return { succeeded: succeeded && !signal.aborted, output: Buffer.concat(kept).toString() };
}

function stopGroup(pid: number | undefined, ended: Promise<unknown>): void {
  killGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS);
  void ended.finally(() => clearTimeout(timer));
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // no process of the group is left
  }
}
