import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Env } from '@lastframe/shared/settings/config';
import { DEMO_SOURCES_FILE, demoSourcesFile } from './demo-cameras.ts';
import { freePort } from './free-port.ts';
import type { Kind } from './part.ts';
import { apiEnv, slowServerEnv, workerEnv } from './part-env.ts';
import type { Printer } from './printer.ts';
import { findRedisProgram, redisArgs, removeLeftoverContainer } from './redis-program.ts';
import type { Settings } from './settings.ts';
import type { Supervisor } from './supervisor.ts';
import { httpProblem, untilReady } from './until-ready.ts';

export interface StartDeps {
  env: Env;
  settings: Settings;
  supervisor: Supervisor;
  printer: Printer;
}

const REDIS_FOLDER = '.lastframe/redis';
/** Not 6379, which the machine's own Redis would use. */
const REDIS_PORT = 16_379;

/**
 * Starts all parts, each after those it needs, and prints a line for each that is ready.
 * @throws Error with a sentence for the user, or the abort reason when closing begins meanwhile
 */
export async function startParts(deps: StartDeps): Promise<void> {
  const { env, settings, printer } = deps;
  const { redisUrl, slowPort, workerOpsPort, apiPort, apiOpsPorts } = settings;
  const privateRedisUrl = redisUrl === undefined ? await startRedis(deps) : undefined;
  if (redisUrl) printer.print(`  redis is at REDIS_URL, ${withoutSecrets(redisUrl)}`);
  writeFileSync(DEMO_SOURCES_FILE, demoSourcesFile(slowPort, env.ALLOWED_SOURCES));

  const slowUrl = `http://localhost:${slowPort}`;
  const startSlowServer = async () => {
    await startMain(deps, 'slow-server', slowServerEnv(env, settings), `${slowUrl}/calls`);
    const delay = env.DELAY?.trim() || '5s';
    printer.ready('slow-server', `${slowUrl}/image  (one image in ${delay})`);
  };
  const startWorker = async () => {
    const opsUrl = opsUrlOf(env, workerOpsPort);
    const variables = workerEnv(env, settings, privateRedisUrl);
    await startMain(deps, 'worker', variables, `${opsUrl}/readyz`);
    printer.ready('worker', `dashboard ${opsUrl}/queues`);
  };
  const startApi = (opsPort: number, index: number) => {
    const variables = apiEnv(env, settings, privateRedisUrl, opsPort);
    const name = apiOpsPorts.length > 1 ? `api-${index + 1}` : 'api';
    return startMain(deps, 'api', variables, `${opsUrlOf(env, opsPort)}/readyz`, name);
  };
  await Promise.all([startSlowServer(), startWorker()]);
  await Promise.all(apiOpsPorts.map(startApi));
  const processes = apiOpsPorts.length === 1 ? 'one process' : `${apiOpsPorts.length} processes`;
  printer.ready('api', `http://localhost:${apiPort}  (${processes})`);
}

/** Returns the URL of a Redis that only this demo uses. */
async function startRedis(deps: StartDeps): Promise<string> {
  const { env, supervisor, printer } = deps;
  const command = findRedisProgram();
  if (!command) throw new Error('Redis is missing: run `make setup`, or set REDIS_URL.');
  const folder = resolve(REDIS_FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (command === 'docker') removeLeftoverContainer(folder);
  const port = await freePort(REDIS_PORT);
  const args = redisArgs(command, folder, port);
  // Apart from this, its log only matters when it dies.
  let isReady = false;
  const onLine = (line: string) => {
    isReady ||= /ready to accept connections/i.test(line);
  };
  supervisor.start({ kind: 'redis', name: 'redis', command, args, env, onLine });
  await waitUntilReady(deps, 'redis', async () => (isReady ? undefined : 'it is still starting'));
  printer.ready('redis', `127.0.0.1:${port}  (private, ${REDIS_FOLDER})`);
  return `redis://127.0.0.1:${port}`;
}

/** Starts a process of this repository and waits until it is ready. */
async function startMain(
  deps: StartDeps,
  kind: Kind,
  env: Env,
  readyUrl: string,
  name: string = kind,
): Promise<void> {
  const onLine = (line: string) => deps.printer.partLine(name, line);
  const args = [resolve(kind, 'src/main.ts')];
  deps.supervisor.start({ kind, name, command: process.execPath, args, env, onLine });
  await waitUntilReady(deps, name, () => httpProblem(readyUrl));
}

function waitUntilReady(
  { supervisor, printer }: StartDeps,
  name: string,
  findProblem: () => Promise<string | undefined>,
): Promise<void> {
  const onWaiting = (reason: string) => printer.partLine(name, `not ready yet: ${reason}`);
  return untilReady(findProblem, { signal: supervisor.closing, onWaiting });
}

function opsUrlOf(env: Env, port: number): string {
  const host = env.OPS_HOST?.trim() || '127.0.0.1';
  const reachableHost = /^(0\.0\.0\.0|127\.0\.0\.1|::|::1)$/.test(host) ? 'localhost' : host;
  return `http://${reachableHost}:${port}`;
}

function withoutSecrets(redisUrl: string): string {
  return /^[a-z+]+:\/\/(?:.*@)?([^/?]+)/is.exec(redisUrl)?.[1] ?? 'an invalid URL';
}
