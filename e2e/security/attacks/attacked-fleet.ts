import { setPriority } from 'node:os';
import { join } from 'node:path';
import {
  checkCalls,
  type Pause,
  type UpstreamCall,
  type Verdict,
} from '../../../testing/checks/checker.ts';
import { type Child, startChild } from '../../../testing/fleet/child.ts';
import { type Fleet, startFleet } from '../../../testing/fleet/fleet.ts';
import { writeSourcesFile } from '../../../testing/fleet/sources-file.ts';
import { startRedis } from '../../../testing/redis/redis-server.ts';
import type { Targets } from './attackers/attacker.ts';
import type { HostileCall } from './cameras/request-log.ts';
import {
  INTERVAL_MS,
  MAX_REDIS_MIB,
  MAX_UNSENT_MIB,
  MEMORY_LIMIT_MIB,
  TIMEOUT_MS,
} from './limits.ts';
import type { Viewer } from './viewers.ts';

export type AttackedFleet = Awaited<ReturnType<typeof startAttackedFleet>>;

const REPO = join(import.meta.dirname, '../../..');
export const CAMERA_MS = 300;
/** Below the fleet, but not so far that a busy machine starves the attack. */
const LOWER_PRIORITY = 4;
const CREDENTIALS = '{ username: operator, password: planted }';

/** What the process of the hostile cameras logs on startup. */
type HostileOrigins = { camera: string; controlUrl: string; greeters: string[] };

/** Starts two apis and two workers on one small Redis, with watched and hostile cameras. */
export async function startAttackedFleet() {
  const watched = await startChild(join(REPO, 'bench/servers/quick-camera.ts'), {
    DELAY: `${CAMERA_MS}ms`,
  });
  const hostile = await startChild(join(import.meta.dirname, 'cameras/main.ts'), {});
  yieldCpu(hostile);
  const { camera, controlUrl, greeters } = hostile.listening as HostileOrigins;
  const watchedUrl = `http://127.0.0.1:${watched.listening.port}`;
  const sources = writeSourcesFile(sourcesYaml(watchedUrl, camera));
  const helpers = [watched, hostile];
  const stop = async () => {
    await Promise.all(helpers.map((child) => !child.hasEnded && child.end('SIGKILL')));
    sources.remove();
  };
  const fleet = await startSmallFleet(sources.path).catch(async (error) => {
    await stop();
    throw error;
  });
  const targets: Targets = {
    apis: fleet.apis.map(({ url }) => url),
    ops: [...fleet.apis, ...fleet.workers].map(({ opsUrl }) => opsUrl),
    redisUrl: fleet.redis.url,
    redisPrefix: fleet.redisPrefix,
    camera,
    greeters,
    slowServer: fleet.slow.url,
  };
  const hostileCalls = async () => {
    if (hostile.hasEnded) throw new Error('the process of the hostile cameras has ended');
    return await readJson<HostileCall[]>(`${controlUrl}/calls`);
  };
  return {
    fleet,
    /** The watched cameras: a named one and one by URL, on each api. */
    viewers: targets.apis.flatMap((api) => viewersOf(api, `${watchedUrl}/public/watched`)),
    startAttackers: async (attacks: readonly string[]) => {
      const attackers = await startChild(join(import.meta.dirname, 'attackers/main.ts'), {
        TARGETS: JSON.stringify(targets),
        ATTACKS: attacks.join(','),
      });
      helpers.push(attackers);
      yieldCpu(attackers);
      return attackers;
    },
    hostileCalls,
    /** Checks the guarantee against every camera's own log. */
    verdicts: async () => ({
      watched: await verdictOf(watchedUrl, await readJson<UpstreamCall[]>(`${watchedUrl}/calls`)),
      hostile: await verdictOf(controlUrl, await hostileCalls()),
    }),
    checkAndStop: async () => {
      await stop();
      await fleet.checkAndStop();
    },
  };
}

/** Real attackers have their own machines and take no CPU from the fleet. */
function yieldCpu({ pid }: Child): void {
  setPriority(pid, LOWER_PRIORITY);
}

async function startSmallFleet(sourcesFile: string): Promise<Fleet> {
  const redis = await startRedis({
    args: ['--maxmemory', `${MAX_REDIS_MIB}mb`, '--appendfsync', 'everysec'],
  });
  return await startFleet({
    redis,
    apis: 2,
    workers: 2,
    intervalMs: INTERVAL_MS,
    env: {
      SOURCES_FILE: sourcesFile,
      ALLOWED_SOURCES: 'http://127.0.0.1:*/public/*,http://127.0.0.1:*/image/*',
      UPSTREAM_TIMEOUT: `${TIMEOUT_MS}ms`,
      START_ALLOWANCE: '2s',
      COLD_WAIT: '5s',
      MEMORY_LIMIT: `${MEMORY_LIMIT_MIB}MiB`,
      MAX_UNSENT_BYTES: `${MAX_UNSENT_MIB}MiB`,
      MAX_STREAMS: '200',
    },
  });
}

/** The made-up cameras share a source with the camera that is watched by its URL. */
function sourcesYaml(watchedUrl: string, camera: string): string {
  return `
sources:
  - { name: named, match: "${watchedUrl}/named/*" }
  - { name: wildcards, match: "${camera}/*/*/*.jpg" }
  - { name: digest, match: "${camera}/digest/*", auth: { digest: ${CREDENTIALS} } }
  - { name: guarded, match: "${camera}/live/*", auth: { basic: ${CREDENTIALS} } }
  - { name: tls, match: "https://127.0.0.1:*/public/*", tls: { insecure: true } }
cameras:
  gate: { url: "${watchedUrl}/named/gate" }
`;
}

function viewersOf(api: string, watchedUrl: string): Viewer[] {
  const url = `url=${encodeURIComponent(watchedUrl)}`;
  return [
    { api, stream: 'camera=gate', image: '/cameras/gate' },
    { api, stream: url, image: `/images?${url}` },
  ];
}

async function verdictOf(baseUrl: string, calls: readonly UpstreamCall[]): Promise<Verdict> {
  return checkCalls(calls, INTERVAL_MS, await readJson<Pause[]>(`${baseUrl}/pauses`));
}

async function readJson<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}
