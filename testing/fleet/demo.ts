import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFree } from '../../scripts/up/free-port.ts';

const REPO = join(import.meta.dirname, '../..');
const FOLDERS = ['api', 'worker', 'shared', 'slow-server', 'scripts', 'package.json'];
/** The worker's ops port, and below it those of three api processes. */
const OPS_PORTS = 4;

/** `make up` in a copy of the repository, so that a running demo is not disturbed. */
export interface Demo {
  readonly folder: string;
  readonly ports: { api: number; slow: number; ops: number };
  output(): string;
  /** Sends SIGINT, as Ctrl-C does, waits for the exit and returns the exit code. */
  interrupt(): Promise<number | null>;
  remove(): void;
}

/** @param prepare writes files into the folder and returns additional environment variables */
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
  const read = collectOutput(child);
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
  const isUp = waitForOutput(child, () => read().includes('Ctrl-C stops everything.'));
  const failed = ended.then((code) => `ended with ${code} before everything was up`);
  const failure = await Promise.race([isUp, failed]);
  if (failure === undefined) return demo;
  demo.remove();
  throw new Error(`make up ${failure}:\n${read()}`);
}

function collectOutput(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  return () => output;
}

async function waitForOutput(child: ChildProcess, isTrue: () => boolean): Promise<undefined> {
  while (!isTrue()) await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
}

/** Finds `count` consecutive free ports and returns the last. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const last = 20_000 + Math.floor(Math.random() * 40_000);
    const row = Array.from({ length: count }, (_, n) => last - n);
    const free = await Promise.all(row.map(isFree));
    if (free.every(Boolean)) return last;
  }
}
