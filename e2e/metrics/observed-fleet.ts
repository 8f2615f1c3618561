import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Api, type Fleet, startFleet, type Worker } from '../../testing/fleet.ts';
import { type Prometheus, startPrometheus } from '../../testing/prometheus.ts';
import { THROWS_ON_SIGNAL } from '../../testing/uncaught.ts';
import { startViewers, type Viewers, warmUp } from '../../testing/viewers.ts';
import { shortenedRules } from './alert-rules.ts';

/** Five minutes are two and a half seconds: five scrapes. */
const SHORTER_BY = 120;
const CEILING_MS = 90_000;
/** At most forty requests a second: five that fail are more than one in twenty. */
const LOAD = { viewers: 4, pauseMs: 100 };

/** One api and one worker on real Redis, scraped by a real Prometheus with the alert rules. */
export interface ObservedFleet {
  readonly fleet: Fleet;
  readonly prometheus: Prometheus;
  readonly api: Api;
  readonly worker: Worker;
  /**
   * Cameras that viewers look at from now on, instead of those before. They are warm and Prometheus
   * has seen viewers get them before it returns.
   */
  view(cameras: readonly string[]): Promise<void>;
  /** Waits until each of these alerts has fired, and perhaps others. */
  fires(...alerts: string[]): Promise<void>;
  /** Waits until no alert fires. */
  silent(): Promise<void>;
  checkAndStop(): Promise<void>;
}

/** The named cameras `gate` and `mast`, and the slow server as the source `yard`. */
const sourcesFile = (slowUrl: string) => `
sources:
  - { name: yard, match: "${slowUrl}/*", frozenAfter: 2s }
cameras:
  gate: { url: "${slowUrl}/image/gate?size=64x36" }
  mast: { url: "${slowUrl}/image/mast?size=64x36" }
`;

export async function startObservedFleet(
  /** More environment for the api, by the port of the Redis. */
  apiEnv: (redisPort: number) => Promise<Record<string, string>> = async () => ({}),
): Promise<ObservedFleet> {
  // A hold-off, while which alerts fire, should be over soon.
  const env = { UPSTREAM_TIMEOUT: '5s', START_ALLOWANCE: '2s' };
  const fleet = await startFleet({ apis: 0, workers: 0, env });
  // How full it is can be told only of a Redis that has a bound.
  await fleet.redis.command('CONFIG', 'SET', 'maxmemory', '1gb');
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const file = join(folder, 'sources.yaml');
  writeFileSync(file, sourcesFile(fleet.slow.url));
  const SOURCES_FILE = file;
  const worker = await fleet.startWorker({
    ADOPT_REDIS: 'true',
    SOURCES_FILE,
    ...THROWS_ON_SIGNAL,
  });
  const api = await fleet.startApi({ SOURCES_FILE, ...(await apiEnv(fleet.redis.port)) });
  const scraped = (child: Api | Worker) => () =>
    child.hasEnded ? undefined : `${child.opsUrl}/metrics`;
  const prometheus = await startPrometheus(shortenedRules(SHORTER_BY), {
    api: scraped(api),
    worker: scraped(worker),
  });
  let viewers: Viewers | undefined;
  return {
    fleet,
    prometheus,
    api,
    worker,
    view: async (cameras) => {
      await viewers?.stop();
      await warmUp([api.url], cameras);
      viewers = startViewers(() => [api.url], cameras, LOAD);
      const served = 'rate(lastframe_requests_total{outcome="fresh",status="200"}[2500ms]) > 0';
      const isSeen = async () => expect(await prometheus.query(served)).toHaveLength(1);
      await vi.waitFor(isSeen, { timeout: CEILING_MS, interval: 100 });
    },
    fires: async (...alerts) => {
      const expected = expect.arrayContaining(alerts);
      // Not all in one look: each may cease for a moment.
      const fired = new Set<string>();
      const firedSoFar = async () => {
        for (const name of await prometheus.firing()) fired.add(name);
        return [...fired];
      };
      await expect.poll(firedSoFar, { timeout: CEILING_MS }).toEqual(expected);
    },
    silent: () => expect.poll(prometheus.firing, { timeout: CEILING_MS }).toEqual([]),
    checkAndStop: async () => {
      await viewers?.stop();
      await prometheus.stop();
      rmSync(folder, { recursive: true });
      await fleet.checkAndStop();
    },
  };
}
