import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, startFleet } from '../testing/fleet.ts';
import { warmUp } from '../testing/viewers.ts';
import {
  atMost,
  type BenchContext,
  type Figure,
  guaranteeKept,
  type Measured,
  spreadOf,
} from './support/figure.ts';
import { hearFrames } from './support/news.ts';
import { openViewer, quantile } from './support/viewer.ts';

const CASES = [
  { intervalMs: 1000, delayMs: 300, forMs: 30_000 },
  { intervalMs: 5000, delayMs: 2000, forMs: 40_000 },
];
/** Storing, announcing, reading, and the guard that the permit adds. */
const ALLOWANCE_MS = 50;
const LOOK_EVERY_MS = 10;

export const frameAge: Figure = {
  name: 'frame-age',
  title: 'Age of the frame under continuous demand',
  how: 'One camera, three api processes and two workers; somebody looks every 10 ms, at each process by turns. The age counts from the start of the call that captured the frame he is given, so it is never below the camera’s own time.',
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
  { quick, say }: BenchContext,
): Promise<Measured[]> {
  const of = `interval ${intervalMs} ms, camera ${delayMs} ms`;
  say(of);
  const env = { UPSTREAM_TIMEOUT: '10s' };
  const fleet = await startFleet({ apis: 3, workers: 2, intervalMs, delayMs, env });
  try {
    const agesMs = await agesServed(fleet, quick ? 5000 : forMs);
    const p99 = spreadOf([quantile(agesMs, 0.99)]);
    const mostMs = intervalMs + delayMs + ALLOWANCE_MS;
    return [
      { of, what: 'age, p99', unit: 'ms', ...p99, target: atMost(p99, mostMs) },
      { of, what: 'age, greatest', unit: 'ms', ...spreadOf([Math.max(...agesMs)]) },
      { of, what: 'looks', unit: '', ...spreadOf([agesMs.length]) },
      ...guaranteeKept(of, await fleet.check()),
    ];
  } finally {
    await fleet.stop();
  }
}

/** At every look, how long ago the call had started that gave the frame. */
async function agesServed(fleet: Fleet, forMs: number): Promise<number[]> {
  const bases = fleet.apis.map(({ url }) => url);
  const camera = fleet.slow.camera('age', { bytes: '20KiB' });
  const startedMs = new Map<string, number>();
  const news = await hearFrames(fleet, ({ etag, startedAgoMs }) => {
    startedMs.set(etag, performance.now() - startedAgoMs);
  });
  await warmUp(bases, [camera]);
  const viewers = bases.map((base) => openViewer(base, camera));
  const agesMs: number[] = [];
  const endMs = performance.now() + forMs;
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const seen = await viewers[turn % viewers.length]?.look();
    const start = startedMs.get(seen?.etag ?? '');
    if (start !== undefined) agesMs.push(performance.now() - start);
    await sleep(LOOK_EVERY_MS);
  }
  news.stop();
  for (const viewer of viewers) viewer.leave();
  return agesMs;
}
