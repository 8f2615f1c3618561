import { setTimeout as sleep } from 'node:timers/promises';
import { startWallFleet } from '../testing/fleet/wall-fleet.ts';
import { openPage, startBrowser } from '../testing/viewers/browser.ts';
import { delaysOf, recordAnnouncements, recordSwaps } from '../testing/viewers/swaps.ts';
import { type BenchContext, type Figure, measureCases, rowsOf } from './figures/figure.ts';

const SCREEN = { viewport: { width: 1920, height: 1080 } };
const CASES = [
  { intervalMs: 5000, size: '640x360' },
  { intervalMs: 2000, size: '64x36' },
];

export const wall: Figure = {
  name: 'wall',
  title: 'From a frame’s announcement until a viewer sees it',
  how: '40 cameras over three api processes, on one wall in a real browser. The target is 300 ms for 95 of 100 frames.',
  measure: (context) => measureCases(CASES, context, measureCase),
};

async function measureCase({ intervalMs, size }: (typeof CASES)[number], context: BenchContext) {
  const of = `interval ${intervalMs} ms, ${size}`;
  context.showProgress(of);
  const cameras = Array.from({ length: 40 }, (_, n) => ({
    name: `cam-${n}`,
    title: `Camera ${n}`,
    query: { size },
  }));
  const fleet = await startWallFleet({ cameras, intervalMs, apis: 3 });
  const announced = await recordAnnouncements(fleet.fleet);
  const browser = await startBrowser();
  try {
    const { page, complaints } = await openPage(browser, SCREEN);
    const swaps = await recordSwaps(page);
    await page.goto(`${fleet.balancer.url}/?columns=8`);
    await sleep(2 * intervalMs);
    const settled = (await swaps()).length;
    await sleep(context.durationMs);
    const delays = delaysOf((await swaps()).slice(settled), announced);
    await fleet.fleet.check();
    const row = rowsOf(of);
    return [
      row('frames', '', delays.count, { least: 1, isRequired: true }),
      row('median', 'ms', delays.medianMs),
      row('95 %', 'ms', delays.p95Ms, { most: 300, isRequired: true }),
      row('slowest', 'ms', delays.slowestMs),
      row('within 300 ms', '%', 100 * delays.shareWithin300Ms),
      row('complaints', '', complaints.length, { most: 0, isRequired: true }),
    ];
  } finally {
    await browser.close();
    announced.close();
    await fleet.stop();
  }
}
