const SCRIPT = "process.on('SIGUSR2', () => { throw new Error('thrown by the test'); });";

/** Environment that makes a process throw an uncaught error on SIGUSR2. */
export const THROWS_ON_SIGNAL = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SCRIPT)}`,
};
