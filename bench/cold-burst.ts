import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import {
  atMost,
  type BenchContext,
  type Figure,
  type Measured,
  spreadOf,
} from './figures/figure.ts';
import { openViewer, quantile } from './load/viewer.ts';
import { withFleet } from './servers/with-fleet.ts';

const VIEWERS = 900;
const DELAY_MS = 2000;

interface Case {
  of: string;
  env: Record<string, string>;
  rounds: number;
}

const CASES: readonly Case[] = [
  { of: `${VIEWERS} viewers`, env: {}, rounds: 7 },
  { of: `${VIEWERS} viewers, FRONT=false`, env: { FRONT: 'false' }, rounds: 5 },
];

export const coldBurst: Figure = {
  name: 'cold-burst',
  title: 'A cold camera and 900 viewers at once',
  how: '900 viewers, each on a new connection, ask three api processes at once for a camera that takes 2 s and was never requested before. Cold latency excludes the camera’s own time. The warm burst requests a frame in memory. The fast path answers warm requests and Hono cold ones; with `FRONT=false` Hono answers both.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const one of context.quick ? CASES.slice(0, 1) : CASES)
      measured.push(...(await measureCase(one, context)));
    return measured;
  },
};

async function measureCase(one: Case, { quick, showProgress }: BenchContext): Promise<Measured[]> {
  const { of, env } = one;
  const fleet = await startFleet({
    env: { UPSTREAM_TIMEOUT: '10s', ...env },
    apis: 3,
    workers: 2,
    intervalMs: 3_600_000,
    delayMs: DELAY_MS,
  });
  return await withFleet(of, fleet, async () => {
    const warmCamera = fleet.slow.camera('warm', { bytes: '20KiB' });
    await warmUp(
      fleet.apis.map(({ url }) => url),
      [warmCamera],
    );
    await burst(fleet, warmCamera); // a warm-up: every process has now served one
    const rounds = [];
    for (let round = 1; round <= (quick ? 1 : one.rounds); round += 1) {
      showProgress(`${of}, round ${round}`);
      rounds.push(await bothBursts(fleet, warmCamera, `cold-${round}`));
    }
    const ratio = spreadOf(rounds.map(({ coldMs, warmMs }) => coldMs / warmMs));
    const calls = spreadOf(rounds.map((round) => round.calls));
    return [
      { of, what: 'p99, cold ÷ warm', unit: '×', ...ratio, target: atMost(ratio, 1.2) },
      { of, what: 'p99, cold', unit: 'ms', ...spreadOf(rounds.map(({ coldMs }) => coldMs)) },
      { of, what: 'p99, warm', unit: 'ms', ...spreadOf(rounds.map(({ warmMs }) => warmMs)) },
      { of, what: 'calls to the cold camera', unit: '', ...calls, target: atMost(calls, 1) },
    ];
  });
}

async function bothBursts(fleet: Fleet, warmCamera: string, name: string) {
  const warmMs = quantile(await burst(fleet, warmCamera), 0.99);
  const camera = fleet.slow.camera(name, { bytes: '20KiB' });
  const latencies = await burst(fleet, camera);
  const calls = (await fleet.slow.calls()).filter(({ url }) => url === camera);
  const [call] = calls;
  if (!call?.endMs) throw new Error('the cold camera was not called');
  const coldMs = quantile(latencies, 0.99) - (call.endMs - call.startMs);
  return { warmMs, coldMs, calls: calls.length };
}

/** Returns each viewer's latency in milliseconds. */
async function burst({ apis }: Fleet, camera: string): Promise<number[]> {
  const viewers = Array.from({ length: VIEWERS }, (_, n) =>
    openViewer(apis[n % apis.length]?.url ?? '', camera),
  );
  const seen = await Promise.all(viewers.map((viewer) => viewer.request()));
  for (const viewer of viewers) viewer.close();
  if (seen.some(({ status }) => status !== 200)) throw new Error('not every viewer got the frame');
  return seen.map(({ tookMs }) => tookMs);
}
