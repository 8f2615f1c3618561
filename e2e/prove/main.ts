import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDurationMs } from '@lastframe/shared/settings/units';
import { type Api, type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { wrongClock } from '../../testing/fleet/wrong-clock.ts';
import { startRedis } from '../../testing/redis/redis-server.ts';
import { startTcpProxy } from '../../testing/redis/tcp-proxy.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';
import { faults, type ProofRun } from './faults.ts';
import { startLoad } from './load.ts';
import { plotProof } from './plot.ts';
import { type FaultRecord, figuresOf, gapsOf, type ProofReport, reportTable } from './report.ts';

const INTERVAL_MS = 1000;
const CAMERAS = 40;
const PER_SECOND = 500;
const OUT = join(import.meta.dirname, '../../docs/proof');

const durationMs = parseDurationMs(process.env.DURATION ?? '10m');
if (durationMs === undefined) throw new Error('DURATION must be a duration like 10m or 30s');
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

const random = mulberry32(seed);
const redisClock = await wrongClock();
const redis = await startRedis({ env: redisClock.env });
const apiProxy = await startTcpProxy(redis.port);
const workerProxy = await startTcpProxy(redis.port);
const podClocks = await Promise.all(Array.from({ length: 6 }, () => wrongClock()));
const fleet = await startFleet({
  redis,
  apis: 0,
  workers: 0,
  intervalMs: INTERVAL_MS,
  delayMs: 300,
  // A hold-off lasts as long as a permit may live: short calls leave time for more faults.
  env: { LOG_LEVEL: 'warn', COLD_WAIT: '5s', UPSTREAM_TIMEOUT: '2s', START_ALLOWANCE: '1s' },
});
let nextPod = 0;
const resetting = new Set<string>();
const podEnv = (proxyPort: number) => ({
  REDIS_URL: `redis://127.0.0.1:${proxyPort}`,
  LOG_LEVEL: 'info',
  ...podClocks[nextPod++ % podClocks.length]?.env,
});
const startWorker = (more = {}) => fleet.startWorker({ ...podEnv(workerProxy.port), ...more });
const startApi = () => fleet.startApi(podEnv(apiProxy.port));
const remove = <T>(all: T[], item: T) => all.splice(all.indexOf(item), 1);

const proof: ProofRun = {
  fleet,
  apiProxy,
  workerProxy,
  redisClock,
  podClocks,
  random,
  replaceApi: async (api: Api, signal) => {
    // Its successor starts first, as in a rolling restart; a killed process resets connections.
    await warmUp([(await startApi()).url], cameras);
    if (signal === 'SIGKILL') resetting.add(api.url);
    else remove(fleet.apis, api);
    await sleep(signal === 'SIGKILL' ? 0 : 200);
    await api.end(signal);
    if (signal === 'SIGKILL') remove(fleet.apis, api);
  },
  replaceWorker: async (worker: Worker, signal) => {
    remove(fleet.workers, worker);
    await worker.end(signal);
    await startWorker();
  },
};

await startWorker({ ADOPT_REDIS: 'true' });
await Promise.all([startWorker(), startWorker(), startApi(), startApi(), startApi()]);
const cameras = Array.from({ length: CAMERAS }, (_, n) =>
  fleet.slow.camera(`camera-${n}`, n % 4 === 0 ? { delay: '900ms' } : {}),
);
await warmUp(
  fleet.apis.map(({ url }) => url),
  cameras,
);

const startedMs = performance.now();
const load = startLoad(
  () => fleet.apis.map(({ url }) => ({ url, mayReset: () => resetting.has(url) })),
  cameras,
  { perSecond: PER_SECOND },
);
const firstCall = (await fleet.slow.calls()).at(0);
const made = await makeFaults(durationMs);
await load.stop();
const report = await finish(made);
process.exitCode = report.verdict.breaches.length + report.failures.length > 0 ? 1 : 0;

async function makeFaults(untilMs: number): Promise<FaultRecord[]> {
  const all: FaultRecord[] = [];
  let names: string[] = [];
  const nowS = () => (performance.now() - startedMs) / 1000;
  while (nowS() * 1000 < untilMs) {
    // Each once before any twice, in an order set by the seed.
    if (names.length === 0) names = shuffled(Object.keys(faults));
    const fault = names.pop() ?? '';
    const fromS = nowS();
    await faults[fault]?.(proof);
    const toS = nowS();
    const recoveryS = (await recoveredAfterMs(fleet)) / 1000;
    all.push({ fault, fromS, toS, recoveryS });
    const line = `${nowS().toFixed(0).padStart(5)} s  ${fault.padEnd(24)} recovered in ${recoveryS.toFixed(1)} s`;
    console.log(`${line}  ${load.result.requests} requests, ${load.result.failures.length} failed`);
    await sleep(1000 * random());
  }
  return all;
}

/** Waits until half of the cameras were called again: one may just be between two calls. */
async function recoveredAfterMs({ slow }: Fleet): Promise<number> {
  const fromMs = performance.now();
  const before = (await slow.calls()).at(-1)?.number ?? 0;
  while (performance.now() - fromMs < 60_000) {
    const since = (await slow.calls()).filter(({ number }) => number > before);
    if (new Set(since.map(({ url }) => url)).size >= CAMERAS / 2) break;
    await sleep(100);
  }
  return performance.now() - fromMs;
}

async function finish(made: FaultRecord[]): Promise<ProofReport> {
  const durationS = (performance.now() - startedMs) / 1000;
  const calls = await fleet.slow.calls();
  const pauses = await fleet.slow.pauses();
  await fleet.stop();
  await Promise.all([apiProxy.close(), workerProxy.close()]);
  const figures = figuresOf(load.result, { calls, pauses, intervalMs: INTERVAL_MS });
  const report: ProofReport = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    versions: { node: process.versions.node, redis: redisVersion() },
    seed,
    durationS,
    intervalMs: INTERVAL_MS,
    cameras: CAMERAS,
    faults: made,
    looksPerSecond: load.result.requests / durationS,
    gaps: gapsOf(calls, firstCall?.startMs ?? 0),
    ...figures,
  };
  mkdirSync(OUT, { recursive: true });
  const { gaps: _, oldestAgeS: __, ...summary } = report;
  writeFileSync(join(OUT, 'latest.json'), `${JSON.stringify(summary, null, 2)}\n`);
  writeFileSync(join(OUT, 'latest.md'), reportTable(report));
  writeFileSync(join(OUT, 'latest.svg'), plotProof(report));
  console.log(`\n${reportTable(report)}`);
  for (const line of [...report.verdict.breaches, ...report.failures].slice(0, 20))
    console.log(line);
  return report;
}

function redisVersion(): string {
  const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=([\d.]+)/.exec(text)?.[1] ?? 'unknown';
}

function shuffled(names: readonly string[]): string[] {
  const places = new Map(names.map((name) => [name, random()]));
  return names.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}

/** A small seeded generator, so that a run can be repeated. */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
