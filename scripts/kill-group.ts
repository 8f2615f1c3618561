/** Signals all processes of a group, given by the process that leads it. */
export function killGroup({ pid }: { pid?: number | undefined }, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // no process of the group is left
  }
}
