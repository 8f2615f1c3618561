import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDurationMs } from '@lastframe/shared/settings/units';
import { startWallFleet } from '../testing/fleet/wall-fleet.ts';
import { openPage, startBrowser } from '../testing/viewers/browser.ts';
import {
  type Delays,
  delaysOf,
  recordAnnouncements,
  recordSwaps,
} from '../testing/viewers/swaps.ts';

/**
 * Measures the time from a frame's announcement until a viewer sees it: 40 cameras over three api
 * processes, on one wall in a real browser. The target is 300 ms for 95 of 100 frames.
 */
const durationMs = parseDurationMs(process.env.DURATION ?? '30s') ?? 30_000;
const CAMERAS = 40;
const SCREEN = { viewport: { width: 1920, height: 1080 } };
const QUERY = 'columns=8';
const ROUNDS = [
  { intervalMs: 5000, size: '640x360' },
  { intervalMs: 2000, size: '64x36' },
];

const browser = await startBrowser();
console.log(`${cpus().length} × ${cpus()[0]?.model}, node ${process.versions.node}`);
console.log(`Chromium ${browser.version()}, ${CAMERAS} cameras, three api processes`);
console.log('interval  size     frames  median  95 %    slowest  within 300 ms  complaints');
for (const round of ROUNDS) {
  const { delays, complaints } = await measure(round);
  const row = [
    `${round.intervalMs} ms`.padEnd(9),
    round.size.padEnd(8),
    String(delays.count).padEnd(7),
    `${delays.medianMs} ms`.padEnd(7),
    `${delays.p95Ms} ms`.padEnd(7),
    `${delays.slowestMs} ms`.padEnd(8),
    `${(100 * delays.shareWithin300Ms).toFixed(1)} %`.padEnd(14),
    String(complaints.length),
  ];
  console.log(row.join(' '));
  if (delays.count === 0 || delays.p95Ms > 300 || complaints.length > 0) process.exitCode = 1;
}
await browser.close();

async function measure({ intervalMs, size }: (typeof ROUNDS)[number]) {
  const cameras = Array.from({ length: CAMERAS }, (_, n) => ({
    name: `cam-${n}`,
    title: `Camera ${n}`,
    query: { size },
  }));
  const wall = await startWallFleet({ cameras, intervalMs, apis: 3 });
  const announced = await recordAnnouncements(wall.fleet);
  const { page, complaints, close } = await openPage(browser, SCREEN);
  try {
    const swaps = await recordSwaps(page);
    await page.goto(`${wall.balancer.url}/?${QUERY}`);
    await sleep(2 * intervalMs);
    const settled = (await swaps()).length;
    await sleep(durationMs);
    const delays: Delays = delaysOf((await swaps()).slice(settled), announced);
    await wall.fleet.check();
    return { delays, complaints };
  } finally {
    announced.close();
    await close();
    await wall.stop();
  }
}
