import { quantileOf } from '../testing/checks/quantile.ts';
import type { Fleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import { type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { withFleet } from './figures/with-fleet.ts';
import { openViewer } from './load/viewer.ts';

const VIEWERS = 900;
const CASES = [
  { of: `${VIEWERS} viewers`, front: 'true', rounds: 7 },
  { of: `${VIEWERS} viewers, FRONT=false`, front: 'false', rounds: 5 },
];

export const coldBurst: Figure = {
  name: 'cold-burst',
  title: 'A cold camera and 900 viewers at once',
  how: '900 viewers, each on a new connection, ask three api processes at once for a camera that takes 2 s and has never been requested before. Cold latency excludes the camera’s own time. The warm burst requests a frame in memory. The fast path answers warm requests and Hono cold ones; with `FRONT=false` Hono answers both.',
  measure: (context) =>
    measureCases(CASES, context, async ({ of, front, rounds }) => {
      const times = { intervalMs: 3_600_000, delayMs: 2000 };
      const options = { ...times, apis: 3, workers: 2, env: { FRONT: front } };
      return await withFleet(options, async (fleet) => {
        const warmCamera = fleet.slow.camera('warm', { bytes: '20KiB' });
        const bases = fleet.apis.map(({ url }) => url);
        await warmUp(bases, [warmCamera]);
        await burst(fleet, warmCamera); // a warm-up: every process has now served one
        const results: BurstPair[] = [];
        for (let round = 1; round <= (context.quick ? 1 : rounds); round += 1) {
          context.showProgress(`${of}, round ${round}`);
          results.push(await bothBursts(fleet, warmCamera, `cold-${round}`));
        }
        const row = rowsOf(of);
        const each = (name: keyof BurstPair) => results.map((result) => result[name]);
        const ratios = results.map(({ coldMs, warmMs }) => coldMs / warmMs);
        return [
          row('p99, cold ÷ warm', '×', ratios, { most: 1.2 }),
          row('p99, cold', 'ms', each('coldMs')),
          row('p99, warm', 'ms', each('warmMs')),
          row('calls to the cold camera', '', each('calls'), { most: 1 }),
        ];
      });
    }),
};

interface BurstPair {
  /** Both are the 99th percentile; `coldMs` excludes the camera's own time. */
  warmMs: number;
  coldMs: number;
  calls: number;
}

async function bothBursts(fleet: Fleet, warmCamera: string, name: string): Promise<BurstPair> {
  const warmMs = quantileOf(await burst(fleet, warmCamera), 0.99);
  const camera = fleet.slow.camera(name, { bytes: '20KiB' });
  const latencies = await burst(fleet, camera);
  const calls = (await fleet.slow.calls()).filter(({ url }) => url === camera);
  const [call] = calls;
  if (!call?.endMs) throw new Error('the cold camera was not called');
  const coldMs = quantileOf(latencies, 0.99) - (call.endMs - call.startMs);
  return { warmMs, coldMs, calls: calls.length };
}

/** Returns each viewer's latency in milliseconds. */
async function burst({ apis }: Fleet, camera: string): Promise<number[]> {
  const viewers = Array.from({ length: VIEWERS }, (_, n) =>
    openViewer(apis[n % apis.length]?.url ?? ''),
  );
  const seen = await Promise.all(viewers.map((viewer) => viewer.request(camera)));
  for (const viewer of viewers) viewer.close();
  if (seen.some(({ status }) => status !== 200)) throw new Error('not every viewer got the frame');
  return seen.map(({ tookMs }) => tookMs);
}
