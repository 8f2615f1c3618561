import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadResult {
  requests: number;
  /** Missing responses, or ones without a frame, of processes that were not being killed. */
  failures: string[];
  /** Connections cut because their process was killed. */
  resets: number;
  latenciesMs: number[];
  /** The oldest frame served in each second. */
  oldestAgeS: { atS: number; ageS: number }[];
}

/** Runs viewers at a steady rate on every camera, spread over the processes, until stopped. */
export function startLoad(
  targets: () => readonly { url: string; mayReset: () => boolean }[],
  cameras: readonly string[],
  { perSecond, viewers = 50 }: { perSecond: number; viewers?: number },
) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const startedMs = performance.now();
  const result: LoadResult = {
    requests: 0,
    failures: [],
    resets: 0,
    latenciesMs: [],
    oldestAgeS: [],
  };
  let running = true;

  const record = (atMs: number, ageS: number) => {
    result.latenciesMs.push(performance.now() - atMs);
    const atS = Math.floor((atMs - startedMs) / 1000);
    const last = result.oldestAgeS.at(-1);
    if (last?.atS === atS) last.ageS = Math.max(last.ageS, ageS);
    else result.oldestAgeS.push({ atS, ageS });
  };
  const view = async (viewer: number) => {
    const pauseMs = (1000 * viewers) / perSecond;
    let dueMs = performance.now() + (pauseMs * viewer) / viewers;
    for (let turn = viewer; running; turn += viewers) {
      const all = targets();
      const target = all[turn % Math.max(1, all.length)];
      const camera = cameras[turn % cameras.length];
      if (target && camera) {
        result.requests += 1;
        const atMs = performance.now();
        const url = `${target.url}/images?url=${encodeURIComponent(camera)}`;
        const answer = await requestAge(url, agent);
        if (typeof answer === 'number') record(atMs, answer);
        else if (target.mayReset()) result.resets += 1;
        else result.failures.push(`${((atMs - startedMs) / 1000).toFixed(1)} s: ${answer}`);
      }
      dueMs = Math.max(dueMs + pauseMs, performance.now() - pauseMs);
      await sleep(Math.max(0, dueMs - performance.now()));
    }
  };
  const done = Promise.all(Array.from({ length: viewers }, (_, n) => view(n)));
  return {
    result,
    stop: async () => {
      running = false;
      await done;
      agent.destroy();
    },
  };
}

/** Returns the frame's age in seconds, or what went wrong. */
function requestAge(url: string, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const req = request(url, { agent, timeout: 10_000 }, (res) => {
      res.resume();
      res.on('end', () => {
        if (res.statusCode === 200) resolve(Number(res.headers.age));
        else resolve(`status ${res.statusCode}`);
      });
      res.on('error', (error) => resolve(error.message));
    });
    req.on('timeout', () => req.destroy(new Error('no answer within 10 s')));
    req.on('error', (error) => resolve(error.message));
    req.end();
  });
}
