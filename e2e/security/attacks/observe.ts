import { get } from 'node:http';
import { infoOf } from '../../../testing/checks/short-faults.ts';
import type { Child } from '../../../testing/fleet/child.ts';
import type { Fleet } from '../../../testing/fleet/fleet.ts';
import { cpuMs, residentMiB } from '../../../testing/fleet/proc.ts';
import { measureSlowdown } from '../../../testing/fleet/slowdown.ts';

export interface Observations {
  apiMiB: number;
  workerMiB: number;
  redisMiB: number;
  /** CPU time of all apis, all workers and Redis, in seconds. */
  cpuS: { apis: number; workers: number; redis: number };
  /** How much longer apis and workers took because they waited for a CPU; 1 means no wait. */
  slowdown: number;
  /** The most jobs that waited at once. */
  longestQueue: number;
  /** Probes of `/livez` that got no 200 in time. */
  failedProbes: string[];
}

const SAMPLE_EVERY_MS = 1000;
const PROBE_TIMEOUT_MS = 15_000;

/** Records memory peaks and probes every process until stopped. */
export function observe({ apis, workers, redis, redisPrefix }: Fleet) {
  const peaks = { apiMiB: 0, workerMiB: 0, redisMiB: 0, longestQueue: 0 };
  const failedProbes: string[] = [];
  const cpuNow = async () => ({
    apis: await cpuOf(apis),
    workers: await cpuOf(workers),
    redis: await cpuOf([{ pid: redis.pid, hasEnded: false }]),
  });
  const before = cpuNow();
  const slowdown = measureSlowdown([...apis, ...workers]);
  const open = new Set<Promise<void>>();
  const record = (peak: keyof typeof peaks, ...values: number[]) => {
    peaks[peak] = Math.max(peaks[peak], ...values);
  };
  const samplePeaks = async () => {
    record('apiMiB', ...(await Promise.all(apis.map(memoryOf))));
    record('workerMiB', ...(await Promise.all(workers.map(memoryOf))));
    record('redisMiB', Number(await infoOf(redis, 'used_memory')) / 1024 ** 2);
    record('longestQueue', Number(await redis.command('LLEN', `${redisPrefix}:refresh:wait`)));
  };
  const probe = async (process: { pid: number; opsUrl: string }) => {
    const outcome = await statusOf(`${process.opsUrl}/livez`);
    if (outcome !== 200) failedProbes.push(`pid ${process.pid}: ${outcome}`);
  };
  const start = (work: Promise<void>) => {
    const tracked = work.catch(() => {}).finally(() => open.delete(tracked));
    open.add(tracked);
  };
  const timer = setInterval(() => {
    start(samplePeaks());
    for (const process of [...apis, ...workers]) if (!process.hasEnded) start(probe(process));
  }, SAMPLE_EVERY_MS);
  return {
    stop: async (): Promise<Observations> => {
      clearInterval(timer);
      await Promise.all(open);
      const [from, to] = [await before, await cpuNow()];
      const cpuS = {
        apis: secondsBetween(from.apis, to.apis),
        workers: secondsBetween(from.workers, to.workers),
        redis: secondsBetween(from.redis, to.redis),
      };
      return { ...peaks, cpuS, slowdown: await (await slowdown)(), failedProbes };
    },
  };
}

/** Returns the status or the error. Uses a connection of its own, as Kubernetes does. */
async function statusOf(url: string): Promise<number | string> {
  return await new Promise((resolve) => {
    const req = get(url, { agent: false, timeout: PROBE_TIMEOUT_MS }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    req.on('timeout', () => req.destroy(new Error(`no response within ${PROBE_TIMEOUT_MS} ms`)));
    req.on('error', ({ message }) => resolve(message));
  });
}

/** Processes that have ended count as 0. */
async function cpuOf(all: readonly Pick<Child, 'pid' | 'hasEnded'>[]): Promise<number> {
  const times = all.map((child) => (child.hasEnded ? 0 : cpuMs(child.pid).catch(() => 0)));
  return (await Promise.all(times)).reduce((sum, ms) => sum + ms, 0);
}

/** The CPU time of a process that has ended meanwhile is lost. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.round(Math.max(0, toMs - fromMs) / 100) / 10;
}

async function memoryOf(child: Child): Promise<number> {
  return child.hasEnded ? 0 : await residentMiB(child.pid).catch(() => 0);
}

/** Returns a line for each process that has ended or had an uncaught error. */
export async function deathsOf({ apis, workers }: Fleet): Promise<string[]> {
  const processes = [
    ...apis.map((child, n) => ({ name: `api ${n + 1}`, child })),
    ...workers.map((child, n) => ({ name: `worker ${n + 1}`, child })),
  ];
  const lines = await Promise.all(
    processes.map(async ({ name, child }) => {
      const uncaught = child.logs.filter(({ msg }) => /uncaught/i.test(msg ?? ''));
      const errors = uncaught.map(({ err }) => JSON.stringify(err)?.slice(0, 300));
      if (child.hasEnded)
        return [`${name} ended; ${errors.at(-1) ?? 'it logged no uncaught error'}`];
      const errorCount = await uncaughtErrors(child.opsUrl);
      if (uncaught.length + errorCount === 0) return [];
      return [`${name} had ${Math.max(errorCount, uncaught.length)} uncaught errors; ${errors[0]}`];
    }),
  );
  return lines.flat();
}

/** Returns 0 also for a process that does not respond, which its probes report. */
async function uncaughtErrors(opsUrl: string): Promise<number> {
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const metrics = await fetch(`${opsUrl}/metrics`, { signal }).then(
    (answer) => answer.text(),
    () => '',
  );
  return Number(/^lastframe_uncaught_errors_total(?:\{.*\})? (\d+)/m.exec(metrics)?.[1] ?? 0);
}
