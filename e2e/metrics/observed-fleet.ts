import { expect, vi } from 'vitest';
import { type Prometheus, startPrometheus } from '../../testing/checks/prometheus.ts';
import { THROWS_ON_SIGNAL } from '../../testing/checks/uncaught.ts';
import { type Api, type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { writeSourcesFile } from '../../testing/fleet/sources-file.ts';
import { startViewers, type ViewerLoad, warmUp } from '../../testing/viewers/viewers.ts';
import { shortenedRules } from './alert-rules.ts';

/** Turns five minutes into 2.5 s, which is five scrapes. */
const SHORTER_BY = 120;
const CEILING_MS = 90_000;
/** At most 40 requests a second, so that five failing ones are more than one in twenty. */
const LOAD = { viewers: 4, pauseMs: 100 };

/** One api and one worker on a real Redis, scraped by a real Prometheus with the alert rules. */
export interface ObservedFleet {
  readonly fleet: Fleet;
  readonly prometheus: Prometheus;
  readonly api: Api;
  readonly worker: Worker;
  /**
   * Makes viewers request these cameras instead of the previous ones. Resolves once the cameras are
   * warm and Prometheus has seen viewers get their frames.
   */
  setViewedCameras(cameras: readonly string[]): Promise<void>;
  /** Waits until each of these alerts has fired; others may fire too. */
  waitForAlerts(...alerts: string[]): Promise<void>;
  /** Waits until no alert fires. */
  waitForNoAlerts(): Promise<void>;
  checkAndStop(): Promise<void>;
}

/** The named cameras `gate` and `mast`, and the slow server as the source `yard`. */
const sourcesYaml = (slowUrl: string) => `
sources:
  - { name: yard, match: "${slowUrl}/*", frozenAfter: 2s }
cameras:
  gate: { url: "${slowUrl}/image/gate?size=64x36" }
  mast: { url: "${slowUrl}/image/mast?size=64x36" }
`;

export async function startObservedFleet(
  /** Returns extra environment of api and worker, given the port of the Redis. */
  extraEnv: (
    redisPort: number,
  ) => Promise<Partial<Record<'api' | 'worker', Record<string, string>>>> = async () => ({}),
): Promise<ObservedFleet> {
  // Alerts fire during a hold-off, so it should be short.
  const env = { UPSTREAM_TIMEOUT: '5s', START_ALLOWANCE: '2s' };
  const fleet = await startFleet({ apis: 0, workers: 0, env });
  // Only a Redis with a limit shows how full it is.
  await fleet.redis.command('CONFIG', 'SET', 'maxmemory', '1gb');
  const sources = writeSourcesFile(sourcesYaml(fleet.slow.url));
  const SOURCES_FILE = sources.path;
  const extra = await extraEnv(fleet.redis.port);
  const worker = await fleet.startWorker({
    ADOPT_REDIS: 'true',
    SOURCES_FILE,
    ...extra.worker,
    // So that a test can keep it busy with few cameras.
    CONCURRENCY: '16',
    ...THROWS_ON_SIGNAL,
  });
  const api = await fleet.startApi({ SOURCES_FILE, ...extra.api });
  const metricsUrlOf = (child: Api | Worker) => () =>
    child.hasEnded ? undefined : `${child.opsUrl}/metrics`;
  const prometheus = await startPrometheus(shortenedRules(SHORTER_BY), {
    api: metricsUrlOf(api),
    worker: metricsUrlOf(worker),
  });
  let viewers: ViewerLoad | undefined;
  return {
    fleet,
    prometheus,
    api,
    worker,
    setViewedCameras: async (cameras) => {
      await viewers?.stop();
      await warmUp([api.url], cameras);
      viewers = startViewers(() => [api.url], cameras, LOAD);
      const served = 'rate(lastframe_requests_total{outcome="fresh",status="200"}[2500ms]) > 0';
      const isSeen = async () => expect(await prometheus.query(served)).toHaveLength(1);
      await vi.waitFor(isSeen, { timeout: CEILING_MS, interval: 100 });
    },
    waitForAlerts: async (...alerts) => {
      const expected = expect.arrayContaining(alerts);
      // Collected over several polls: an alert may stop for a moment.
      const fired = new Set<string>();
      const firedSoFar = async () => {
        for (const name of await prometheus.firing()) fired.add(name);
        return [...fired];
      };
      await expect.poll(firedSoFar, { timeout: CEILING_MS }).toEqual(expected);
    },
    waitForNoAlerts: () => expect.poll(prometheus.firing, { timeout: CEILING_MS }).toEqual([]),
    checkAndStop: async () => {
      await viewers?.stop();
      await prometheus.stop();
      sources.remove();
      await fleet.checkAndStop();
    },
  };
}
