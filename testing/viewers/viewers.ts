import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from '../checks/quantile.ts';
import { measureSlowdown } from '../fleet/slowdown.ts';

/** What viewers of known cameras got during a fault. */
export interface ViewerResults {
  requests: number;
  /** One line for each request without a 200 response with an image. */
  failures: string[];
  slowestMs: number;
  medianMs: number;
  p99Ms: number;
  oldestAgeS: number;
  /** How much slower the machine made the viewers' own process; see `measureSlowdown`. */
  slowdown: number;
}

/** Fewer say nothing about the slowest of a hundred. */
const LEAST_REQUESTS = 50;

export interface ViewerLoad {
  /** Ends the load, after enough requests for a result, and returns what viewers got. */
  stop(): Promise<ViewerResults>;
}

/**
 * Starts a steady load on every camera through every base URL, until stopped. Each viewer requests
 * at their own pace. The cameras should be warm.
 */
export function startViewers(
  baseUrls: () => readonly string[],
  cameras: readonly string[],
  { viewers = 5, pauseMs = 100 } = {},
): ViewerLoad {
  const stopping = new AbortController();
  const latencies: number[] = [];
  const failures: string[] = [];
  let oldestAgeS = 0;
  const slowdown = measureSlowdown([{ pid: process.pid, hasEnded: false }]);

  const requestFrame = async (base: string, camera: string) => {
    const startedMs = performance.now();
    try {
      const url = `${base}/images?url=${encodeURIComponent(camera)}`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
      const { byteLength } = await answer.arrayBuffer();
      if (answer.status !== 200 || byteLength === 0) failures.push(`${answer.status} ${base}`);
      oldestAgeS = Math.max(oldestAgeS, Number(answer.headers.get('age') ?? 0));
    } catch (error) {
      const { cause, message } = error as Error;
      failures.push(`${message}: ${cause instanceof Error ? cause.message : ''} ${base}`);
    }
    latencies.push(performance.now() - startedMs);
  };
  const runViewer = async (viewer: number) => {
    const isOver = () => stopping.signal.aborted && latencies.length >= LEAST_REQUESTS;
    for (let turn = viewer; !isOver(); turn += 1) {
      const bases = baseUrls();
      const base = bases[turn % bases.length];
      const camera = cameras[turn % cameras.length];
      if (base && camera) await requestFrame(base, camera);
      await sleep(pauseMs); // the viewer's pace, not a wait for an event
    }
  };
  const done = Promise.all(Array.from({ length: viewers }, (_, n) => runViewer(n)));
  return {
    stop: async () => {
      stopping.abort();
      await done;
      return {
        requests: latencies.length,
        failures,
        slowestMs: quantileOf(latencies, 1),
        medianMs: quantileOf(latencies, 0.5),
        p99Ms: quantileOf(latencies, 0.99),
        oldestAgeS,
        slowdown: await (await slowdown)(),
      };
    },
  };
}

/** Requests each camera from each process until it has a frame. */
export async function warmUp(
  bases: readonly string[],
  cameras: readonly string[],
  timeoutMs = 60_000,
): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  const warm = async (base: string, camera: string) => {
    for (;;) {
      const answer = await fetch(`${base}/images?url=${encodeURIComponent(camera)}`);
      await answer.arrayBuffer();
      if (answer.status === 200) return;
      if (performance.now() > untilMs) throw new Error(`${camera} is cold: ${answer.status}`);
      await sleep(100);
    }
  };
  await Promise.all(bases.flatMap((base) => cameras.map((camera) => warm(base, camera))));
}
