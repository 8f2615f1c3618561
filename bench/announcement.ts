import { setTimeout as sleep } from 'node:timers/promises';
import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { type Fleet, startFleet } from '../testing/fleet.ts';
import { warmUp } from '../testing/viewers.ts';
import { atMost, type Figure, guaranteeKept, spreadOf } from './support/figure.ts';
import { hearFrames } from './support/news.ts';
import { openViewer, quantile, type Viewer } from './support/viewer.ts';

const CAMERAS = 5;
const INTERVAL_MS = 500;
/** So long after its announcement a frame counts as lost. */
const LOST_MS = 5000;

export const announcement: Figure = {
  name: 'announcement',
  title: 'Announcement → every api process serves the new frame',
  how: 'Three api processes; five cameras of 20 KB are watched on all of them. Who measures hears the announcements as the api processes do, and from that instant on asks each of them again and again until it serves the new frame; the last one counts. His own asking is part of the time.',
  measure: async ({ quick, say }) => {
    const fleet = await startFleet({ apis: 3, intervalMs: INTERVAL_MS, delayMs: 50 });
    try {
      const rounds = [];
      for (let round = 1; round <= (quick ? 1 : 3); round += 1) {
        say(`round ${round}`);
        rounds.push(await measureFor(quick ? 3000 : 15_000, fleet));
      }
      const of = 'all 3 processes';
      const p99 = spreadOf(rounds.map((delaysMs) => quantile(delaysMs, 0.99)));
      const p50 = spreadOf(rounds.map((delaysMs) => quantile(delaysMs, 0.5)));
      const counts = spreadOf(rounds.map(({ length }) => length));
      return [
        { of, what: 'p99', unit: 'ms', ...p99, target: atMost(p99, 20) },
        { of, what: 'p50', unit: 'ms', ...p50 },
        { of, what: 'frames in a round', unit: '', ...counts },
        ...guaranteeKept(of, await fleet.check()),
      ];
    } finally {
      await fleet.stop();
    }
  },
};

/** From each announcement until the last process served that frame, in milliseconds. */
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
  const news = await hearFrames(fleet, ({ cameraId, etag }) => {
    const heardMs = performance.now();
    const all = viewers.get(cameraId) ?? [];
    void Promise.all(all.map((viewer) => until(viewer, etag, heardMs))).then((times) =>
      delaysMs.push(Math.max(...times)),
    );
  });
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    // Somebody looks on each process, so all of them want the frame.
    await Promise.all([...viewers.values()].flat().map((viewer) => viewer.look()));
    await sleep(100);
  }
  news.stop();
  await sleep(200);
  for (const viewer of [...viewers.values()].flat()) viewer.leave();
  return delaysMs;
}

async function until(viewer: Viewer, etag: string, sinceMs: number): Promise<number> {
  for (;;) {
    const seen = await viewer.look();
    const tookMs = performance.now() - sinceMs;
    if (seen.etag === etag || tookMs > LOST_MS) return tookMs;
  }
}
