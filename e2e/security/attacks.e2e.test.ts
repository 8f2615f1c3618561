import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printMeasurements } from '../../testing/checks/report.ts';
import { type AttackedFleet, startAttackedFleet } from './attacks/attacked-fleet.ts';
import { brokenPromises, type Evidence } from './attacks/broken-promises.ts';
import { readSettings } from './attacks/limits.ts';
import { deathsOf, observe } from './attacks/observe.ts';
import { startViewers, type Viewer } from './attacks/viewers.ts';

const { durationMs, isStrict, attacks } = readSettings(process.env);
const WARM_UP_MS = isStrict ? 5000 : 2000;
const QUIET_MS = isStrict ? 20_000 : 5000;
/** For requests that are pending when the attackers end, and for a busy machine. */
const SLACK_MS = 180_000;
type Outcomes = Record<string, Record<string, number>>;

let attacked: AttackedFleet;

beforeAll(async () => {
  attacked = await startAttackedFleet();
});

afterAll(async () => {
  await attacked?.checkAndStop();
});

describe(`under ${attacks.length} attacks at once`, () => {
  it(
    'no process ends, watched cameras stay fresh, hits stay fast, and memory stays bounded',
    async () => {
      await Promise.all(attacked.viewers.map(untilWarm));
      const { evidence, outcomes, cpuS } = await attack();
      const { quiet, attacked: seen, observed, quietSlowdown, verdicts } = evidence;
      const broken = brokenPromises(evidence);
      printMeasurements('attacks', {
        ...figuresOf(seen),
        quietP99Ms: quiet.p99Ms,
        quietOldestMs: quiet.oldestMs,
        quietSlowdown,
        ...observed,
      });
      printMeasurements('attackers', { cpuS, calls: verdicts.hostile?.calls, ...outcomes });
      expect(broken).toEqual([]);
      expect(attacks.filter((name) => Object.keys(outcomes[name] ?? {}).length === 0)).toEqual([]);
    },
    durationMs + QUIET_MS + SLACK_MS,
  );
});

async function attack(): Promise<{ evidence: Evidence; outcomes: Outcomes; cpuS: number }> {
  const { fleet, viewers } = attacked;
  const watching = startViewers(viewers);
  // These sleeps are measured phases, not waits. The first requests are slow and do not count.
  await sleep(WARM_UP_MS);
  watching.take();
  const observingQuiet = observe(fleet);
  await sleep(QUIET_MS);
  const quiet = watching.take();
  const { slowdown: quietSlowdown } = await observingQuiet.stop();
  const observing = observe(fleet);
  const attackers = await attacked.startAttackers(attacks);
  await sleep(durationMs);
  const seen = watching.take();
  await attackers.end('SIGTERM');
  const { outcomes, cpuS } = await attackers.waitForLog('attacks ended');
  const observed = await observing.stop();
  await watching.stop();
  const evidence: Evidence = {
    isStrict,
    quiet,
    attacked: seen,
    observed,
    quietSlowdown,
    deaths: await deathsOf(fleet),
    verdicts: await attacked.verdicts(),
    hostileCalls: await attacked.hostileCalls(),
  };
  return { evidence, outcomes: outcomes as Outcomes, cpuS: Number(cpuS) };
}

function figuresOf({ failures, ...others }: Evidence['attacked']) {
  return { ...others, failures: failures.length };
}

async function untilWarm({ api, image }: Viewer): Promise<void> {
  const status = async () => {
    const answer = await fetch(api + image);
    await answer.arrayBuffer();
    return answer.status;
  };
  await expect.poll(status, { timeout: 60_000 }).toBe(200);
}
