import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';

/** Lets a process run before others that want a CPU; without root it does nothing. */
export function raisePriority(pid: number): void {
  try {
    setPriority(pid, -19);
  } catch {
    // needs root
  }
}

/** Returns whether the kernel reports the process as stopped by SIGSTOP (Linux). */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')')).split(' ')[1] === 'T';
}

/** Returns the resident memory of a process (Linux). */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Returns the CPU time a process has used (Linux, whose clock ticks 100 times a second). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')')).split(' ');
  return 10 * (Number(fields[12]) + Number(fields[13]));
}

/** Returns how long a process's main thread has run and has waited for a CPU (Linux). */
export async function schedulingMs(pid: number): Promise<{ ranMs: number; waitedMs: number }> {
  const schedstat = await readFile(`/proc/${pid}/schedstat`, 'utf8');
  const [ranNs, waitedNs] = schedstat.split(' ').map(Number);
  return { ranMs: (ranNs ?? 0) / 1e6, waitedMs: (waitedNs ?? 0) / 1e6 };
}
