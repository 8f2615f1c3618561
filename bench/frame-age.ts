import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import {
  atMost,
  type BenchContext,
  type Figure,
  type Measured,
  spreadOf,
} from './figures/figure.ts';
import { subscribeToFrames } from './load/frame-announcements.ts';
import { openViewer, quantile } from './load/viewer.ts';
import { withFleet } from './servers/with-fleet.ts';

const CASES = [
  { intervalMs: 1000, delayMs: 300, forMs: 30_000 },
  { intervalMs: 5000, delayMs: 2000, forMs: 40_000 },
];
/** For storing, announcing and reading the frame, and the guard time that the permit adds. */
const ALLOWANCE_MS = 50;
const REQUEST_EVERY_MS = 10;

export const frameAge: Figure = {
  name: 'frame-age',
  title: 'Age of the frame under continuous demand',
  how: 'A viewer requests one camera every 10 ms, from each of three api processes in turn; two workers call it. The age counts from the start of the call, so it includes the camera’s own time. The target is the interval plus the camera’s time plus 50 ms.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const one of context.quick ? CASES.slice(0, 1) : CASES) {
      measured.push(...(await measureCase(one, context)));
    }
    return measured;
  },
};

async function measureCase(
  { intervalMs, delayMs, forMs }: (typeof CASES)[number],
  { quick, showProgress }: BenchContext,
): Promise<Measured[]> {
  const of = `interval ${intervalMs} ms, camera ${delayMs} ms`;
  showProgress(of);
  const env = { UPSTREAM_TIMEOUT: '10s' };
  const fleet = await startFleet({ apis: 3, workers: 2, intervalMs, delayMs, env });
  return await withFleet(of, fleet, async () => {
    const agesMs = await agesServed(fleet, quick ? 5000 : forMs);
    const p99 = spreadOf([quantile(agesMs, 0.99)]);
    const mostMs = intervalMs + delayMs + ALLOWANCE_MS;
    return [
      { of, what: 'age, p99', unit: 'ms', ...p99, target: atMost(p99, mostMs) },
      { of, what: 'greatest age', unit: 'ms', ...spreadOf([Math.max(...agesMs)]) },
      { of, what: 'requests', unit: '', ...spreadOf([agesMs.length]) },
    ];
  });
}

/** Returns the age of the frame in each response, from the start of its call. */
async function agesServed(fleet: Fleet, forMs: number): Promise<number[]> {
  const bases = fleet.apis.map(({ url }) => url);
  const camera = fleet.slow.camera('age', { bytes: '20KiB' });
  const startedMs = new Map<string, number>();
  const listener = await subscribeToFrames(fleet, ({ etag, startedAgoMs }) => {
    startedMs.set(etag, performance.now() - startedAgoMs);
  });
  await warmUp(bases, [camera]);
  const viewers = bases.map((base) => openViewer(base, camera));
  const agesMs: number[] = [];
  const endMs = performance.now() + forMs;
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const seen = await viewers[turn % viewers.length]?.request();
    const start = startedMs.get(seen?.etag ?? '');
    if (start !== undefined) agesMs.push(performance.now() - start);
    await sleep(REQUEST_EVERY_MS);
  }
  listener.stop();
  for (const viewer of viewers) viewer.close();
  return agesMs;
}
