import { readFile } from 'node:fs/promises';

/** Whether the process is stopped by SIGSTOP, by the kernel's own word (Linux). */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')')).split(' ')[1] === 'T';
}

/** The memory that a process has in RAM (Linux). */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** The CPU time that a process has used (Linux, whose clock ticks 100 times a second). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')')).split(' ');
  return 10 * (Number(fields[12]) + Number(fields[13]));
}
