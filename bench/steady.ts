import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDurationMs } from '@lastframe/shared/settings/units';
import { startLoad } from '../e2e/prove/load.ts';
import { checkCalls } from '../testing/checks/checker.ts';
import { startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';

/**
 * Measures how steadily cameras are refreshed under continuous demand: the share of intervals that
 * had a call. Three api and two worker processes; the interval and the camera's own time vary.
 */
const durationMs = parseDurationMs(process.env.DURATION ?? '30s') ?? 30_000;
const CAMERAS = 10;
const env = { UPSTREAM_TIMEOUT: '10s' };
const ROUNDS = [
  { intervalMs: 500, delayMs: 100 },
  { intervalMs: 1000, delayMs: 300 },
  { intervalMs: 5000, delayMs: 2000 },
];

console.log(`${cpus().length} × ${cpus()[0]?.model}, node ${process.versions.node}`);
console.log('interval  camera  calls  share of intervals  smallest gap  breaches  failed requests');
for (const { intervalMs, delayMs } of ROUNDS) {
  const fleet = await startFleet({ apis: 3, workers: 2, intervalMs, delayMs, env });
  const urls = fleet.apis.map(({ url }) => url);
  const cameras = Array.from({ length: CAMERAS }, (_, n) => fleet.slow.camera(`steady-${n}`));
  await warmUp(urls, cameras);
  const load = startLoad(() => urls.map((url) => ({ url, mayReset: () => false })), cameras, {
    // Each camera is requested forty times per interval, so that a stale frame is noticed soon.
    perSecond: (40 * CAMERAS * 1000) / intervalMs,
  });
  await sleep(Math.max(durationMs, 6 * intervalMs));
  await load.stop();
  const calls = await fleet.slow.calls();
  const { shareOfIntervals, smallestGapMs, breaches } = checkCalls(
    calls,
    intervalMs,
    await fleet.slow.pauses(),
  );
  await fleet.stop();
  const row = [
    `${intervalMs} ms`.padEnd(9),
    `${delayMs} ms`.padEnd(7),
    String(calls.length).padEnd(6),
    `${(100 * shareOfIntervals).toFixed(1)} %`.padEnd(19),
    `${smallestGapMs.toFixed(1)} ms`.padEnd(13),
    String(breaches.length).padEnd(9),
    String(load.result.failures.length),
  ];
  console.log(row.join(' '));
  if (breaches.length > 0) process.exitCode = 1;
}
