const SCRIPT = "process.on('SIGUSR2', () => { throw new Error('thrown by the test'); });";

/** Environment for a process that throws, where nothing catches it, when it gets SIGUSR2. */
export const THROWS_ON_SIGNAL = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SCRIPT)}`,
};
