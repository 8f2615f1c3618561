import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Env } from '../env-file.ts';
import { DEMO_SOURCES_FILE, demoSourcesFile } from './demo-cameras.ts';
import { freePort } from './free-port.ts';
import type { Part, PartOptions } from './part.ts';
import { apiEnv, slowServerEnv, workerEnv } from './part-env.ts';
import type { Printer } from './printer.ts';
import { findRedisProgram, redisLaunch, removeLeftoverContainer } from './redis-program.ts';
import type { Settings } from './settings.ts';
import type { Supervisor } from './supervisor.ts';
import { untilHttpReady, untilRedisReady } from './until-ready.ts';

export interface StartDeps {
  root: string;
  env: Env;
  settings: Settings;
  supervisor: Supervisor;
  printer: Printer;
}

interface PrivateRedis {
  url: string;
}

const REDIS_FOLDER = '.lastframe/redis';
/** Not 6379, which the machine's own Redis would use. */
const REDIS_PORT = 16_379;

/**
 * Starts all parts, each after those it needs, and prints a line for each that is ready.
 * @throws Error with a sentence for the user, or the abort reason when closing begins meanwhile
 */
export async function startParts(deps: StartDeps): Promise<void> {
  const { redisUrl } = deps.settings;
  const redis = redisUrl === undefined ? await startRedis(deps) : undefined;
  if (redisUrl) deps.printer.print(`  redis is at REDIS_URL, ${withoutSecrets(redisUrl)}`);
  writeDemoSources(deps);
  await Promise.all([startSlowServer(deps), startWorker(deps, redis)]);
  await startApis(deps, redis);
}

async function startRedis(deps: StartDeps): Promise<PrivateRedis> {
  const { root, env, printer } = deps;
  const program = findRedisProgram(env.PATH ?? '');
  if (!program) throw new Error('Redis is missing: run `make setup`, or set REDIS_URL.');
  const folder = join(root, REDIS_FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (program.by === 'docker') removeLeftoverContainer(folder);
  const port = await freePort(REDIS_PORT);
  const launch = redisLaunch(program, folder, port);
  // Its log only matters when it dies.
  start(deps, { kind: 'redis', name: 'redis', ...launch, env, onLine: () => {} });
  await untilRedisReady(port, waitOptions(deps, 'redis'));
  printer.ready('redis', `127.0.0.1:${port}  (private, ${REDIS_FOLDER})`);
  return { url: `redis://127.0.0.1:${port}` };
}

function writeDemoSources({ root, env, settings }: StartDeps): void {
  const file = join(root, DEMO_SOURCES_FILE);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, demoSourcesFile(settings.slowPort, env.ALLOWED_SOURCES));
}

async function startSlowServer(deps: StartDeps): Promise<void> {
  const { env, settings, printer } = deps;
  const url = `http://localhost:${settings.slowPort}`;
  startMain(deps, 'slow-server', 'slow-server', slowServerEnv(env, settings));
  await untilHttpReady(`${url}/calls`, waitOptions(deps, 'slow-server'));
  printer.ready('slow-server', `${url}/image  (one image in ${env.DELAY?.trim() || '5s'})`);
}

async function startWorker(deps: StartDeps, redis: PrivateRedis | undefined): Promise<void> {
  const { env, settings, printer } = deps;
  startMain(deps, 'worker', 'worker', workerEnv(env, settings, redis));
  await untilHttpReady(opsUrl(env, settings.workerOpsPort, '/readyz'), waitOptions(deps, 'worker'));
  printer.ready('worker', `dashboard ${opsUrl(env, settings.workerOpsPort, '/queues')}`);
}

async function startApis(deps: StartDeps, redis: PrivateRedis | undefined): Promise<void> {
  const { env, settings, printer } = deps;
  const startOne = async (opsPort: number, index: number) => {
    const name = settings.apiOpsPorts.length > 1 ? `api-${index + 1}` : 'api';
    startMain(deps, 'api', name, apiEnv(env, settings, redis, index));
    await untilHttpReady(opsUrl(env, opsPort, '/readyz'), waitOptions(deps, name));
  };
  await Promise.all(settings.apiOpsPorts.map(startOne));
  const count = settings.apiOpsPorts.length;
  const processes = count === 1 ? 'one process' : `${count} processes`;
  printer.ready('api', `http://localhost:${settings.apiPort}  (${processes})`);
}

function startMain(deps: StartDeps, kind: PartOptions['kind'], name: string, env: Env): Part {
  const onLine = (line: string) => deps.printer.partLine(name, line);
  const main = join(deps.root, kind, 'src', 'main.ts');
  return start(deps, { kind, name, command: process.execPath, args: [main], env, onLine });
}

function start(deps: StartDeps, options: Omit<PartOptions, 'cwd'>): Part {
  return deps.supervisor.start({ ...options, cwd: deps.root });
}

function waitOptions({ supervisor, printer }: StartDeps, name: string) {
  const onWaiting = (reason: string) => printer.partLine(name, `not ready yet: ${reason}`);
  return { signal: supervisor.closing, onWaiting };
}

function opsUrl(env: Env, port: number, path: string): string {
  const host = env.OPS_HOST?.trim() || '127.0.0.1';
  const reachableHost = /^(0\.0\.0\.0|127\.0\.0\.1|::|::1)$/.test(host) ? 'localhost' : host;
  return `http://${reachableHost}:${port}${path}`;
}

function withoutSecrets(redisUrl: string): string {
  return /^[a-z+]+:\/\/(?:.*@)?([^/?]+)/is.exec(redisUrl)?.[1] ?? 'an invalid URL';
}
