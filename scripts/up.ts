import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { readEnvWith } from './env-file.ts';
import { isFree } from './up/free-port.ts';
import { introduction } from './up/introduction.ts';
import type { Kind } from './up/part.ts';
import { createPrinter, plainLine } from './up/printer.ts';
import { claimRun, type RunFile } from './up/run-file.ts';
import { neededPorts, portInUse, readSettings, type Settings } from './up/settings.ts';
import { startParts } from './up/start-parts.ts';
import { createSupervisor } from './up/supervisor.ts';

/** Both make and the terminal send Ctrl-C, so a second signal within this time is ignored. */
const SECOND_CTRL_C_AFTER_MS = 300;

const root = resolve(import.meta.dirname, '..');
const env = readEnvWith(join(root, '.env'), process.env);
const hasColours = process.stdout.isTTY && !env.NO_COLOR;
const printer = createPrinter((text) => void process.stdout.write(text), hasColours);

const outcome = readSettings(env, process.platform);
if (!outcome.ok) failWith(outcome.faults);
await run(outcome.settings, await claimFolder());

async function run(settings: Settings, file: RunFile): Promise<void> {
  let exitCode: number | undefined;
  const end = async (code: number, why: string) => {
    if (exitCode !== undefined) return;
    exitCode = code;
    if (code === 0) printer.print(`\n${why}`);
    else printer.fault(why);
    await supervisor.close();
    file.remove();
    printer.print('Everything has stopped.');
    process.exit(code);
  };
  const supervisor = createSupervisor({
    recordPart: file.recordPart,
    onUnexpectedEnd: (part, how) =>
      void end(
        1,
        `${part.name} ${how}; its last output: ${plainLine(part.lastOutput()) || 'none'}`,
      ),
  });
  endOnSignals((signal) => void end(0, `${signal}: stopping everything …`), supervisor.killNow);
  try {
    await requireFreePorts(settings, file);
    await startParts({ root, env, settings, supervisor, printer });
    printer.print(introduction(settings, env, root));
    printer.showAllLogs();
  } catch (error) {
    if (!supervisor.closing.aborted) await end(1, (error as Error).message);
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
  process.stdout.on('error', () => end('the output was closed'));
  if (process.stdout.isTTY) onTerminalGone(() => end('the terminal is gone'));
}

/** A closing terminal notifies only its first process. That may be make, which waits for us. */
function onTerminalGone(end: () => void): void {
  setInterval(() => !isatty(process.stdout.fd) && end(), 1000).unref();
}

async function claimFolder(): Promise<RunFile> {
  const onLeftovers = (kinds: readonly Kind[]) =>
    printer.print(`Stopping processes left by an earlier run: ${kinds.join(', ')}`);
  const claim = await claimRun(join(root, '.lastframe', 'up.json'), onLeftovers);
  if (claim.outcome === 'claimed') return claim.file;
  return failWith([
    `make up is already running in this folder (process ${claim.pid}): stop it there with Ctrl-C.`,
  ]);
}

async function requireFreePorts(settings: Settings, file: RunFile): Promise<void> {
  for (const needed of neededPorts(settings)) {
    if (await isFree(needed.port)) continue;
    file.remove();
    failWith([portInUse(needed)]);
  }
}

function failWith(sentences: readonly string[]): never {
  for (const sentence of sentences) printer.fault(sentence);
  process.exit(1);
}
