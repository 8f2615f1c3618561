import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { readEnvWith } from './env-file.ts';
import { paintFor } from './paint.ts';
import { isFree } from './up/free-port.ts';
import { introduction } from './up/introduction.ts';
import { plainLine } from './up/log-line.ts';
import type { Kind } from './up/part.ts';
import { createPrinter } from './up/printer.ts';
import { claimRun, type RunFile } from './up/run-file.ts';
import { neededPorts, portInUse, readSettings, type Settings } from './up/settings.ts';
import { startParts } from './up/start-parts.ts';
import { createSupervisor } from './up/supervisor.ts';

/** A signal that comes twice at once (make passes it on, the terminal too) was meant once. */
const SECOND_CTRL_C_AFTER_MS = 300;

const root = resolve(import.meta.dirname, '..');
const env = readEnvWith(join(root, '.env'), process.env);
const paint = paintFor(process.stdout, env.NO_COLOR);
const printer = createPrinter((text) => void process.stdout.write(text), paint);

const outcome = readSettings(env, process.platform);
if (!outcome.ok) refuse(outcome.faults);
await run(outcome.settings, await claimFolder());

async function run(settings: Settings, file: RunFile): Promise<void> {
  let exitCode: number | undefined;
  const end = async (code: number, why: string) => {
    if (exitCode !== undefined) return;
    exitCode = code;
    if (code === 0) printer.say(`\n${why}`);
    else printer.fault(why);
    await supervisor.close();
    file.remove();
    printer.say('Everything has ended.');
    process.exit(code);
  };
  const supervisor = createSupervisor({
    note: file.note,
    onUnexpectedEnd: (part, how) =>
      void end(1, `${part.name} ${how}; its last words: ${plainLine(part.lastWords()) || 'none'}`),
  });
  endOnSignals((signal) => void end(0, `${signal}: ending everything …`), supervisor.killNow);
  try {
    await refuseTakenPorts(settings, file);
    await startParts({ root, env, settings, supervisor, printer });
    printer.say(introduction(settings));
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
  process.stdout.on('error', () => end('nobody reads any more'));
  if (process.stdout.isTTY) onTerminalGone(() => end('the terminal is gone'));
}

/** A terminal that closes tells its first process only. That may be make, which waits for this one. */
function onTerminalGone(end: () => void): void {
  setInterval(() => !isatty(process.stdout.fd) && end(), 1000).unref();
}

async function claimFolder(): Promise<RunFile> {
  const onLeftovers = (kinds: readonly Kind[]) =>
    printer.say(`Ending what an earlier run left behind: ${kinds.join(', ')}`);
  const claim = await claimRun(join(root, '.lastframe', 'up.json'), onLeftovers);
  if (claim.outcome === 'claimed') return claim.file;
  return refuse([
    `make up runs in this folder already (process ${claim.pid}): end it there with Ctrl-C.`,
  ]);
}

async function refuseTakenPorts(settings: Settings, file: RunFile): Promise<void> {
  for (const needed of neededPorts(settings)) {
    if (await isFree(needed.port)) continue;
    file.remove();
    refuse([portInUse(needed)]);
  }
}

function refuse(sentences: readonly string[]): never {
  for (const sentence of sentences) printer.fault(sentence);
  process.exit(1);
}
