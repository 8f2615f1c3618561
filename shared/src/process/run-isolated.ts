/**
 * Runs one of several independent pieces of work, such as one connection, stream or announcement.
 * An exception does not stop the others; it is logged and counted like every uncaught error.
 */
export function runIsolated(work: () => void): void {
  try {
    work();
  } catch (error) {
    void Promise.reject(error);
  }
}
