import { setTimeout as sleep } from 'node:timers/promises';
import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import { atMost, type Figure, spreadOf } from './figures/figure.ts';
import { subscribeToFrames } from './load/frame-announcements.ts';
import { openViewer, quantile, type Viewer } from './load/viewer.ts';
import { withFleet } from './servers/with-fleet.ts';

const CAMERAS = 5;
const INTERVAL_MS = 500;
/** A frame that is not served this long after its announcement counts as lost. */
const LOST_MS = 5000;

export const announcement: Figure = {
  name: 'announcement',
  title: 'Announcement → every api process serves the new frame',
  how: 'Three api processes watch five cameras of 20 KB. After each announcement the benchmark polls every process until all of them serve the new frame, so the result includes its polling.',
  measure: async ({ quick, showProgress }) => {
    const fleet = await startFleet({ apis: 3, intervalMs: INTERVAL_MS, delayMs: 50 });
    const of = 'all 3 processes';
    return await withFleet(of, fleet, async () => {
      const rounds = [];
      for (let round = 1; round <= (quick ? 1 : 3); round += 1) {
        showProgress(`round ${round}`);
        rounds.push(await measureFor(quick ? 3000 : 15_000, fleet));
      }
      const p99 = spreadOf(rounds.map((delaysMs) => quantile(delaysMs, 0.99)));
      const p50 = spreadOf(rounds.map((delaysMs) => quantile(delaysMs, 0.5)));
      const counts = spreadOf(rounds.map(({ length }) => length));
      return [
        { of, what: 'p99', unit: 'ms', ...p99, target: atMost(p99, 20) },
        { of, what: 'p50', unit: 'ms', ...p50 },
        { of, what: 'frames in a round', unit: '', ...counts },
      ];
    });
  },
};

/** Returns the time from each announcement until the last process served the frame. */
async function measureFor(durationMs: number, fleet: Fleet): Promise<number[]> {
  const bases = fleet.apis.map(({ url }) => url);
  const cameras = Array.from({ length: CAMERAS }, (_, n) =>
    fleet.slow.camera(`announced-${n}`, { bytes: '20KiB' }),
  );
  await warmUp(bases, cameras);
  const viewers = new Map(
    cameras.map((camera) => [cameraIdOf(camera), bases.map((base) => openViewer(base, camera))]),
  );
  const delaysMs: number[] = [];
  const listener = await subscribeToFrames(fleet, ({ cameraId, etag }) => {
    const announcedMs = performance.now();
    const all = viewers.get(cameraId) ?? [];
    void Promise.all(all.map((viewer) => msUntilServed(viewer, etag, announcedMs))).then((times) =>
      delaysMs.push(Math.max(...times)),
    );
  });
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    // Keeps the camera watched on every process.
    await Promise.all([...viewers.values()].flat().map((viewer) => viewer.request()));
    await sleep(100);
  }
  listener.stop();
  await sleep(200);
  for (const viewer of [...viewers.values()].flat()) viewer.close();
  return delaysMs;
}

async function msUntilServed(viewer: Viewer, etag: string, sinceMs: number): Promise<number> {
  for (;;) {
    const seen = await viewer.request();
    const tookMs = performance.now() - sinceMs;
    if (seen.etag === etag || tookMs > LOST_MS) return tookMs;
  }
}
