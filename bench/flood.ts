import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from '../testing/checks/quantile.ts';
import type { Fleet } from '../testing/fleet/fleet.ts';
import { residentMiB } from '../testing/fleet/proc.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import { type BenchContext, type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { withLargeFleet } from './figures/with-fleet.ts';
import { startDemand } from './load/demand-load.ts';
import { requestNewCameras } from './load/new-cameras.ts';
import { openViewer } from './load/viewer.ts';

const INTERVAL_MS = 5000;
const OTHER_CALL_MS = 2000;
/** Of the flooded source. */
const SLOW_CALL_MS = 14_000;
const ALLOWANCE_MS = 2000;
const CASES = [
  { of: '230 new URLs/s', perSecond: 230, seconds: 60, clients: 40 },
  { of: '100,000 new URLs', perSecond: 1000, seconds: 100, clients: 1000 },
];
const MOST_LEFT_S = 60;
const ENV = {
  CONCURRENCY: '1000',
  COLD_PER_MINUTE: '600',
  UPSTREAM_TIMEOUT: '20s',
  TRUSTED_PROXIES: '127.0.0.0/8',
  ALLOWED_SOURCES: 'http://127.0.0.1:*/*,http://localhost:*/*',
};

export const flood: Figure = {
  name: 'flood',
  title: 'What viewers of watched cameras see during a flood of new cameras',
  how: 'Two api processes and one worker with 1,000 slots; the interval is 5 s. Clients request ever new URLs of a source whose cameras take 14 s: 230 a second for a minute from 40 addresses, or 1,000 a second for 100 s from 1,000 addresses, so that no limit per client applies. Meanwhile a viewer requests a 14 s camera of the same source and a 2 s camera of another source, each every 250 ms. The age of a picture counts from the start of its call. The targets are the interval plus the call plus 2 s, and twice that in the flooded source. At 4,000 open requests, the client that has waited for longest gives up. Memory is that of each api process when the last request of the flood has ended.',
  measure: (context) =>
    measureCases(CASES, context, async (load) => {
      context.showProgress(`${load.of}: starting`);
      const times = { intervalMs: INTERVAL_MS, delayMs: OTHER_CALL_MS };
      const options = { ...times, apis: 2, env: ENV };
      return await withLargeFleet(options, (fleet) => measureFlood(fleet, load, context));
    }),
};

async function measureFlood(fleet: Fleet, load: (typeof CASES)[number], context: BenchContext) {
  const { of, perSecond, seconds, clients } = load;
  const { quick, showProgress } = context;
  const apiUrls = fleet.apis.map(({ url }) => url);
  const slow = { delay: `${SLOW_CALL_MS}ms` };
  const otherCamera = fleet.slow.camera('other').replace('127.0.0.1', 'localhost');
  const sameCamera = fleet.slow.camera('same', slow);
  showProgress(`${of}: first frames`);
  await warmUp(apiUrls, [otherCamera, sameCamera]);
  const viewers = apiUrls.map(openViewer);
  const watch = (camera: string) =>
    startDemand({ viewers, cameras: [camera], everyMs: 250, at: 'one', rampMs: 1 });
  const [other, same] = [watch(otherCamera), watch(sameCamera)];
  await sleep((quick ? 1 : 2) * INTERVAL_MS);
  for (const demand of [other, same]) demand.takeResults();

  showProgress(`${of}: flood`);
  const flooded = await requestNewCameras({
    apiUrls,
    cameraUrl: (n) => fleet.slow.camera(`new-${n}`, slow),
    cameras: perSecond * (quick ? 5 : seconds),
    perSecond,
    clients,
  });
  const memory = await Promise.all(fleet.apis.map(({ pid }) => residentMiB(pid)));
  await Promise.all([other.stop(), same.stop()]);
  const [otherSeen, sameSeen] = [other.takeResults(), same.takeResults()];
  for (const viewer of viewers) viewer.close();
  showProgress(`${of}: jobs left`);
  const left = await jobsLeft(fleet);

  const row = rowsOf(of);
  const oldestS = (agesMs: readonly number[]) => quantileOf(agesMs, 1) / 1000;
  const atMostS = (callMs: number) => (INTERVAL_MS + callMs + ALLOWANCE_MS) / 1000;
  const withoutFrame = otherSeen.failures.length + sameSeen.failures.length;
  return [
    row('oldest picture, another source', 's', oldestS(otherSeen.agesMs), {
      most: atMostS(OTHER_CALL_MS),
    }),
    row('oldest picture, same source', 's', oldestS(sameSeen.agesMs), {
      most: 2 * atMostS(SLOW_CALL_MS),
    }),
    row('watched requests', '', otherSeen.requests + sameSeen.requests),
    row('watched requests without a frame', '', withoutFrame, { most: 0 }),
    row('flood: frames', '', flooded.frames),
    row('flood: 503 with Retry-After', '', flooded.retryLater),
    row('flood: given up', '', flooded.givenUp),
    row('flood: other responses', '', flooded.others),
    row('flood: requests per second', '', flooded.sentPerSecond),
    row('jobs left a minute later', '', left, { most: 0 }),
    row('memory of each api', 'MiB', memory),
    row('calls', '', (await fleet.slow.calls()).length),
  ];
}

/** Waits until no job waits in the queue, for a minute at most. Returns how many still do. */
async function jobsLeft({ redis, redisPrefix }: Fleet): Promise<number> {
  for (let second = 0; ; second += 1) {
    const left = Number(await redis.command('LLEN', `${redisPrefix}:refresh:wait`));
    if (left === 0 || second === MOST_LEFT_S) return left;
    await sleep(1000);
  }
}
