import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Env } from '@lastframe/shared/settings/config';
import { killGroup } from '../kill-group.ts';

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
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  // Leftover processes hold the output open, so `close` comes only after they have ended.
  child.once('exit', () => killGroup(child, 'SIGKILL'));
  const stop = () => {
    killGroup(child, 'SIGTERM');
    setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  const succeeded = await once(child, 'close').then(
    ([code]) => code === 0,
    (error: Error) => {
      output = `${error.message}\n`;
      return false;
    },
  );
  signal.removeEventListener('abort', stop);
  return { succeeded: succeeded && !signal.aborted, output };
}
