import { setTimeout as sleep } from 'node:timers/promises';
import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { quantileOf } from '../testing/checks/quantile.ts';
import type { Fleet } from '../testing/fleet/fleet.ts';
import { subscribeToFrames } from '../testing/viewers/announcements.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import { type Figure, rowsOf } from './figures/figure.ts';
import { withFleet } from './figures/with-fleet.ts';
import { openViewer, type Viewer } from './load/viewer.ts';

/** A frame that is not served this long after its announcement counts as lost. */
const LOST_MS = 5000;

export const announcement: Figure = {
  name: 'announcement',
  title: 'Announcement → every api process serves the new frame',
  how: 'Three api processes watch five cameras of 20 KB. After each announcement the benchmark polls every process until all of them serve the new frame, so the result includes its polling.',
  measure: async ({ quick, showProgress }) =>
    await withFleet({ apis: 3, intervalMs: 500, delayMs: 50 }, async (fleet) => {
      const rounds: number[][] = [];
      for (let round = 1; round <= (quick ? 1 : 3); round += 1) {
        showProgress(`round ${round}`);
        rounds.push(await measureFor(quick ? 3000 : 15_000, fleet));
      }
      const row = rowsOf('all 3 processes');
      const quantiles = (share: number) => rounds.map((delaysMs) => quantileOf(delaysMs, share));
      return [
        row('p99', 'ms', quantiles(0.99), { most: 20 }),
        row('p50', 'ms', quantiles(0.5)),
        row(
          'frames in a round',
          '',
          rounds.map(({ length }) => length),
        ),
      ];
    }),
};

/** Returns the time from each announcement until the last process served the frame. */
async function measureFor(durationMs: number, fleet: Fleet): Promise<number[]> {
  const bases = fleet.apis.map(({ url }) => url);
  const cameras = [1, 2, 3, 4, 5].map((n) =>
    fleet.slow.camera(`announced-${n}`, { bytes: '20KiB' }),
  );
  await warmUp(bases, cameras);
  const viewers = bases.map(openViewer);
  const cameraById = new Map(cameras.map((camera) => [cameraIdOf(camera), camera]));
  const delaysMs: number[] = [];
  const listener = await subscribeToFrames(fleet, async ({ cameraId, etag }) => {
    const announcedMs = performance.now();
    const camera = cameraById.get(cameraId) ?? '';
    await Promise.all(viewers.map((viewer) => untilServed(viewer, camera, etag)));
    delaysMs.push(performance.now() - announcedMs);
  });
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    await warmUp(bases, cameras); // keeps the cameras watched on every process
    await sleep(100);
  }
  listener.close();
  await sleep(200);
  for (const viewer of viewers) viewer.close();
  return delaysMs;
}

async function untilServed(viewer: Viewer, camera: string, etag: string): Promise<void> {
  const lostMs = performance.now() + LOST_MS;
  while ((await viewer.request(camera)).etag !== etag) if (performance.now() > lostMs) return;
}
