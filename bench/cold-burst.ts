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
import { openViewer, quantile } from './support/viewer.ts';

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
  how: 'Three api processes; 900 viewers, each on a new connection, ask at one instant for a camera that nobody has asked for before and that takes 2 s. From the time of each cold answer the camera’s own time, by its own log, is taken off; the warm burst is the same for a camera whose frame is in memory. Warm viewers are answered by the front, cold ones by Hono; with `FRONT=false` both are.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const one of context.quick ? CASES.slice(0, 1) : CASES)
      measured.push(...(await measureCase(one, context)));
    return measured;
  },
};

async function measureCase(one: Case, { quick, say }: BenchContext): Promise<Measured[]> {
  const { of, env } = one;
  const fleet = await startFleet({
    env: { UPSTREAM_TIMEOUT: '10s', ...env },
    apis: 3,
    workers: 2,
    intervalMs: 3_600_000,
    delayMs: DELAY_MS,
  });
  try {
    const warmCamera = fleet.slow.camera('warm', { bytes: '20KiB' });
    await warmUp(
      fleet.apis.map(({ url }) => url),
      [warmCamera],
    );
    await burst(fleet, warmCamera); // every process has seen one
    const rounds = [];
    for (let round = 1; round <= (quick ? 1 : one.rounds); round += 1) {
      say(`${of}, round ${round}`);
      rounds.push(await bothBursts(fleet, warmCamera, `cold-${round}`));
    }
    const ratio = spreadOf(rounds.map(({ coldMs, warmMs }) => coldMs / warmMs));
    const calls = spreadOf(rounds.map((round) => round.calls));
    return [
      { of, what: 'p99, cold ÷ warm', unit: '×', ...ratio, target: atMost(ratio, 1.2) },
      { of, what: 'p99, cold', unit: 'ms', ...spreadOf(rounds.map(({ coldMs }) => coldMs)) },
      { of, what: 'p99, warm', unit: 'ms', ...spreadOf(rounds.map(({ warmMs }) => warmMs)) },
      { of, what: 'calls of the cold camera', unit: '', ...calls, target: atMost(calls, 1) },
      ...guaranteeKept(of, await fleet.check()),
    ];
  } finally {
    await fleet.stop();
  }
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

/** How long each of them waited. */
async function burst({ apis }: Fleet, camera: string): Promise<number[]> {
  const viewers = Array.from({ length: VIEWERS }, (_, n) =>
    openViewer(apis[n % apis.length]?.url ?? '', camera),
  );
  const seen = await Promise.all(viewers.map((viewer) => viewer.look()));
  for (const viewer of viewers) viewer.leave();
  if (seen.some(({ status }) => status !== 200)) throw new Error('not all of them got the frame');
  return seen.map(({ tookMs }) => tookMs);
}
