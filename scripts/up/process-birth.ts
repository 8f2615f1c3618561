import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Returns when a running process started, as a text that no other process with this pid ever has;
 * undefined if there is none. A pid alone is not enough, because pids are reused.
 */
export function processBirth(pid: number): string | undefined {
  try {
    return process.platform === 'linux' ? linuxBirth(pid) : psBirth(pid);
  } catch {
    return undefined;
  }
}

function linuxBirth(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, which may itself contain both.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return state === 'Z' || state === 'X' ? undefined : `${boot} ${startTicks}`;
}

function psBirth(pid: number): string | undefined {
  const args = ['-o', 'lstart=', '-p', String(pid)];
  return execFileSync('ps', args, { encoding: 'utf8', stdio: 'pipe' }).trim() || undefined;
}
