/** The machine's monotonic clock, which is the same in every process; cameras log calls by it. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
