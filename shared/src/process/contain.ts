/**
 * Runs one of several pieces of work that don't depend on each other: one connection, one stream,
 * one announcement. An exception in it doesn't keep the others from running. It goes where every
 * uncaught error goes, which logs and counts it.
 */
export function contain(work: () => void): void {
  try {
    work();
  } catch (error) {
    void Promise.reject(error);
  }
}
