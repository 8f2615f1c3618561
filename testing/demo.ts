import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPO = join(import.meta.dirname, '..');
const FOLDERS = ['api', 'worker', 'shared', 'slow-server', 'scripts', 'package.json'];
/** The worker's ops port and those of three api processes below it. */
const OPS_PORTS = 4;

/** `make up`, in a copy of the repository, so that one that runs here is left alone. */
export interface Demo {
  readonly folder: string;
  readonly ports: { api: number; slow: number; ops: number };
  output(): string;
  /** Presses Ctrl-C and waits; gives the exit code. */
  interrupt(): Promise<number | null>;
  remove(): void;
}

/** @param prepare puts files into its folder, and gives its further environment */
export async function startDemo(
  prepare: (folder: string, ports: Demo['ports']) => Record<string, string>,
): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-demo-'));
  for (const name of FOLDERS) {
    const filter = (source: string) => !source.includes('node_modules');
    cpSync(join(REPO, name), join(folder, name), { recursive: true, filter });
  }
  symlinkSync(join(REPO, 'node_modules'), join(folder, 'node_modules'));
  const ops = await freePorts(OPS_PORTS);
  const ports = { api: await freePorts(1), slow: await freePorts(1), ops };
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['scripts/up.ts'], {
    cwd: folder,
    env: {
      PATH,
      PORT: String(ports.api),
      SLOW_PORT: String(ports.slow),
      OPS_PORT: String(ports.ops),
      ...prepare(folder, ports),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = collect(child);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const demo: Demo = {
    folder,
    ports,
    output: read,
    interrupt: async () => {
      child.kill('SIGINT');
      return await ended;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  const isUp = until(child, () => read().includes('Ctrl-C ends everything.'));
  const failed = ended.then((code) => `ended with ${code} before everything was up`);
  const fault = await Promise.race([isUp, failed]);
  if (fault === undefined) return demo;
  demo.remove();
  throw new Error(`make up ${fault}:\n${read()}`);
}

function collect(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  return () => output;
}

async function until(child: ChildProcess, isTrue: () => boolean): Promise<undefined> {
  while (!isTrue()) await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
}

/** The last of so many free ports in a row. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const last = 20_000 + Math.floor(Math.random() * 40_000);
    const row = Array.from({ length: count }, (_, n) => last - n);
    const free = await Promise.all(row.map(isFree));
    if (free.every(Boolean)) return last;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
  return await outcome;
}
