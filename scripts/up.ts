import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { loadEnvFile } from './env-file.ts';
import { isFree } from './up/free-port.ts';
import { introduction } from './up/introduction.ts';
import { createPrinter, plainLine } from './up/printer.ts';
import { claimRun, type RunFile } from './up/run-file.ts';
import { neededPorts, portInUse, readSettings, type Settings } from './up/settings.ts';
import { startParts } from './up/start-parts.ts';
import { createSupervisor } from './up/supervisor.ts';

/** Both make and the terminal send Ctrl-C, so a second signal within this time is ignored. */
const SECOND_CTRL_C_AFTER_MS = 300;

process.chdir(resolve(import.meta.dirname, '..'));
loadEnvFile();
const { env, stdout } = process;
const printer = createPrinter(
  (text) => void stdout.write(text),
  stdout.isTTY && stdout.hasColors(),
);

try {
  const settings = readSettings(env, process.platform);
  const file = await claimRun('.lastframe/up.json', (kinds) =>
    printer.print(`Stopping processes left by an earlier run: ${kinds.join(', ')}`),
  );
  for (const needed of neededPorts(settings)) {
    if (!(await isFree(needed.port))) throw new Error(portInUse(needed));
  }
  await run(settings, file);
} catch (error) {
  for (const line of (error as Error).message.split('\n')) printer.fault(line);
  process.exit(1);
}

async function run(settings: Settings, file: RunFile): Promise<void> {
  const end = async (code: number, why: string) => {
    if (supervisor.closing.aborted) return;
    if (code === 0) printer.print(`\n${why}`);
    else printer.fault(why);
    await supervisor.close();
    file.remove();
    printer.print('Everything has stopped.');
    process.exit(code);
  };
  const supervisor = createSupervisor({
    onStart: ({ kind, pid }) => pid !== undefined && file.record(kind, pid),
    onUnexpectedEnd: ({ name, lastOutput }, how) =>
      void end(1, `${name} ${how}; its last output: ${plainLine(lastOutput()) || 'none'}`),
  });
  endOnSignals((signal) => void end(0, `${signal}: stopping everything …`), supervisor.killNow);
  try {
    await startParts({ env, settings, supervisor, printer });
    printer.print(introduction(settings, env));
    printer.showAllLogs();
  } catch (error) {
    await end(1, (error as Error).message);
  }
}

function endOnSignals(end: (signal: string) => void, killNow: () => void): void {
  let firstAtMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (signal === 'SIGINT' && nowMs - firstAtMs > SECOND_CTRL_C_AFTER_MS) killNow();
      firstAtMs = Math.min(firstAtMs, nowMs);
      end(signal === 'SIGINT' ? 'Ctrl-C' : signal);
    });
  }
  stdout.on('error', () => end('the output was closed'));
  // A closing terminal notifies only its first process. That may be make, which waits for us.
  const checkTerminal = () => !isatty(stdout.fd) && end('the terminal is gone');
  if (stdout.isTTY) setInterval(checkTerminal, 1000).unref();
}
