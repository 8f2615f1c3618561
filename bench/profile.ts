import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAYERS, profilesIn, timeByLayer } from './support/cpu-profile.ts';
import {
  type BenchContext,
  type Figure,
  guaranteeKept,
  type Measured,
  spreadOf,
} from './support/figure.ts';
import { measureFleet } from './support/fleet-cost.ts';

const INTERVAL_MS = 5000;
/** 100 and 500 refreshes a second; more than that, this machine can't do with two cores. */
const CAMERAS = [500, 2500];

export const profile: Figure = {
  name: 'profile',
  title: 'Where the CPU of a refresh goes',
  how: 'The fleet of *CPU per refresh* under Node’s own profiler (`--cpu-prof`), which makes it somewhat slower: milliseconds of CPU for one refresh that each layer spends in itself, not in what it calls.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const cameras of CAMERAS) measured.push(...(await profileOf(cameras, context)));
    return measured;
  },
};

async function profileOf(cameras: number, context: BenchContext): Promise<Measured[]> {
  const profileDir = mkdtempSync(join(tmpdir(), 'lastframe-profile-'));
  try {
    const cost = await measureFleet(
      {
        apis: 2,
        cameras,
        intervalMs: INTERVAL_MS,
        delayMs: 2000,
        at: 'one',
        rampMs: 2 * INTERVAL_MS,
        settleMs: INTERVAL_MS,
        measureMs: (context.quick ? 1 : 3) * INTERVAL_MS,
        profileDir,
      },
      context,
      `${cameras} cameras`,
    );
    const all = profilesIn(profileDir);
    const rows = (['worker', 'api'] as const).flatMap((part) => {
      const pids = part === 'api' ? cost.pids.apis : cost.pids.workers;
      const times = pids.map((pid) => {
        const one = all.get(pid);
        if (!one) throw new Error(`process ${pid} left no profile`);
        return timeByLayer(one, cost);
      });
      const of = `${cameras} cameras, ${part}`;
      return LAYERS.map((what) => {
        const totalMs = times.reduce((sum, time) => sum + (time.get(what) ?? 0), 0);
        return { of, what, unit: 'ms', ...spreadOf([totalMs / cost.refreshes]) };
      });
    });
    return [...rows, ...guaranteeKept(`${cameras} cameras`, cost.verdict)];
  } finally {
    rmSync(profileDir, { recursive: true, force: true });
  }
}
