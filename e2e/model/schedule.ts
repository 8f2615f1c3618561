import { cameraOf } from '@lastframe/shared/cameras/camera';
import fc from 'fast-check';
import { checkCalls } from '../../testing/checks/checker.ts';
import { testSource } from '../../testing/test-camera.ts';
import type { Verdict } from '../../worker/src/permit/permits.ts';
import { createSimRedis, type SimRedis } from './sim-redis.ts';
import { createSimTime } from './sim-time.ts';
import { createSimWorker, type Mutation, type SimCall, type SimWorker } from './sim-worker.ts';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 4000;
const ALLOWANCE_MS = 500;
/** Calls may overlap when a worker freezes for longer than this: the guarantee says so. */
const LATENESS_MS = 2000;
/** Less than half of its start allowance. */
const GOOD_CONNECT_MS = 200;
const GOOD_ANSWER_MS = 300;
/** min-replicas-max-lag, plus the second that Redis takes to notice. */
const MAX_LAG_MS = 4000;

const worker = fc.constantFrom(0 as const, 1 as const);
const between = (min: number, max: number) => fc.integer({ min, max });
const faultOf = <K extends string, T extends object>(
  kind: K,
  properties: { [P in keyof T]: fc.Arbitrary<T[P]> },
) => fc.record({ kind: fc.constant(kind), ...properties }) as fc.Arbitrary<{ kind: K } & T>;
const fault = fc.oneof(
  faultOf('restart', { keepData: fc.boolean() }),
  faultOf('flush', {}),
  faultOf('step', {
    byMs: fc.constantFrom(900, 3000, 10_000, 3_600_000, -900, -10_000, -3_600_000),
  }),
  faultOf('failover', { promoteAfterMs: between(0, 3000), stayMs: between(0, 8000) }),
  faultOf('failback', {}),
  faultOf('freeze', {
    worker,
    ms: fc.constantFrom(300, 700, 1500, 2500, 6200, 6600),
    suspended: fc.boolean(),
  }),
  faultOf('kill', { worker }),
  faultOf('slow', {
    worker,
    delayMs: fc.constantFrom(50, 200, 249, 400, 900),
    ms: between(100, 3000),
  }),
  faultOf('cut', { worker, ms: between(500, 4000) }),
);
type Fault = typeof fault extends fc.Arbitrary<infer One> ? One : never;

/** Mostly in quick succession; sometimes so late that the fleet has just recovered. */
const afterMs = fc.oneof(
  { weight: 3, arbitrary: between(0, 4000) },
  { weight: 1, arbitrary: between(7000, 12_000) },
);

const timesOf = (...ms: number[]) =>
  fc.array(fc.constantFrom(...ms), { minLength: 1, maxLength: 8 });

export const schedules = fc.record({
  faults: fc.array(fc.record({ afterMs, fault }), { minLength: 1, maxLength: 6 }),
  connectMs: timesOf(0, 1, 30, 440, 460, 700),
  // Up to the deadline, and beyond it for a camera that hangs.
  answerMs: timesOf(5, 300, 900, 1100, 3990, 60_000),
  /** Then the camera is quick, whatever these say: it must never be blamed. */
  isGood: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});
type Schedule = typeof schedules extends fc.Arbitrary<infer One> ? One : never;

/**
 * Plays a schedule. Returns the breaches of the guarantee as sentences, the call count, and how often
 * a camera that always connects and responds in time was blamed.
 */
export async function play(
  schedule: Schedule,
  mutation: Mutation = {},
): Promise<{ breaches: string[]; calls: number; wronglyBlamed: number }> {
  const time = createSimTime();
  const calls: SimCall[] = [];
  const verdicts: Verdict[] = [];
  const world = {
    time,
    camera: camera(),
    calls,
    verdicts,
    connectMs: cycle(schedule.isGood ? [GOOD_CONNECT_MS] : schedule.connectMs),
    answerMs: cycle(schedule.isGood ? [GOOD_ANSWER_MS] : schedule.answerMs),
    mutation,
  };
  const [one, two] = [createSimRedis(() => time.nowMs), createSimRedis(() => time.nowMs)];
  one.setReplicas(1);
  const start = (name: string, redis: SimRedis, adopt: boolean) =>
    createSimWorker(name, world, redis, { adopt, wallOffsetMs: name.length * 3_600_000 });
  const fleet: Fleet = {
    time,
    primary: one,
    other: two,
    workers: [start('w', one, true), start('ww', one, false)],
    freezes: [],
    stepped: false,
    restarting: 0,
    restart: (index) => start(index === 0 ? 'w' : 'ww', fleet.primary, false),
  };
  let atMs = 2000;
  for (const { afterMs, fault } of schedule.faults) {
    atMs += afterMs;
    time.at(atMs, () => injectFault(fault, fleet));
  }
  await time.runUntil(atMs + 18_000);
  const blamed = verdicts.filter((verdict) => verdict === 'fail').length;
  const breaches = findBreaches(calls, fleet.freezes);
  return { breaches, calls: calls.length, wronglyBlamed: schedule.isGood ? blamed : 0 };
}

interface Fleet {
  time: ReturnType<typeof createSimTime>;
  primary: SimRedis;
  other: SimRedis;
  workers: [SimWorker, SimWorker];
  freezes: { worker: number; fromMs: number; toMs: number }[];
  stepped: boolean;
  restarting: number;
  restart: (worker: 0 | 1) => SimWorker;
}

function injectFault(fault: Fault, fleet: Fleet): void {
  const { time, workers, primary } = fleet;
  switch (fault.kind) {
    case 'restart':
      primary.restart(fault.keepData);
      primary.setReplicas(1);
      return;
    case 'flush':
      primary.flush();
      return;
    case 'step':
      // Not guaranteed: a worker that never saw the clock before a step cannot detect the step.
      if (fleet.restarting > 0) return;
      fleet.stepped = true;
      primary.stepClock(fault.byMs);
      return;
    case 'failover':
      failOver(fault, fleet);
      return;
    case 'failback': {
      // An old primary that never synced returns with its old data.
      const { other } = fleet;
      other.promote(other.snapshot(), other.clockOffsetMs);
      switchTo(other, fleet, workers);
      return;
    }
    case 'freeze':
      workers[fault.worker].freeze(fault.ms, fault.suspended);
      fleet.freezes.push({ worker: fault.worker, fromMs: time.nowMs, toMs: time.nowMs + fault.ms });
      return;
    case 'kill':
      if (fleet.stepped || fleet.restarting > 0) return;
      workers[fault.worker].kill();
      fleet.restarting += 1;
      time.at(time.nowMs + 700, () => {
        workers[fault.worker] = fleet.restart(fault.worker);
        // It has seen the clock once its first poll has a reply.
        time.at(time.nowMs + 1000, () => {
          fleet.restarting -= 1;
        });
      });
      return;
    case 'slow':
    case 'cut':
      disturbLink(fault, fleet);
  }
}

function disturbLink(fault: Extract<Fault, { kind: 'slow' | 'cut' }>, fleet: Fleet): void {
  const { time, workers } = fleet;
  const { link } = workers[fault.worker];
  if (fault.kind === 'slow') link.delayMs = fault.delayMs;
  else link.redis = undefined;
  time.at(time.nowMs + fault.ms, () => {
    link.delayMs = 1;
    link.redis ??= fleet.primary;
  });
}

/** Writes not replicated by now are lost; the old primary continues until it notices. */
function failOver(fault: Extract<Fault, { kind: 'failover' }>, fleet: Fleet): void {
  const { time, primary: old, other: next, workers } = fleet;
  const replicaData = old.snapshot();
  const offsetMs = old.clockOffsetMs;
  time.at(time.nowMs + MAX_LAG_MS, () => old.refuseWrites(true));
  time.at(time.nowMs + fault.promoteAfterMs, () => {
    next.promote(replicaData, offsetMs);
    switchTo(next, fleet, [workers[0]]);
  });
  time.at(time.nowMs + fault.promoteAfterMs + fault.stayMs, () => {
    if (fleet.primary === next) switchTo(next, fleet, [workers[1]]);
  });
}

function switchTo(next: SimRedis, fleet: Fleet, workers: readonly SimWorker[]): void {
  if (fleet.primary !== next) fleet.other = fleet.primary;
  fleet.primary = next;
  for (const { link } of workers) link.redis &&= next;
}

function findBreaches(calls: SimCall[], freezes: Fleet['freezes']): string[] {
  const isExcused = (call: SimCall) =>
    freezes.some(
      ({ worker, fromMs, toMs }) =>
        call.worker === (worker === 0 ? 'w' : 'ww') &&
        toMs - fromMs > LATENESS_MS &&
        fromMs <= call.startMs + TIMEOUT_MS &&
        toMs > call.startMs,
    );
  const log = calls.map((call, number) => ({
    number,
    url: 'camera',
    name: call.worker,
    startMs: call.startMs,
    endMs: isExcused(call) ? Math.min(call.endMs ?? 0, call.startMs + TIMEOUT_MS) : call.endMs,
    status: null,
  }));
  return checkCalls(log, INTERVAL_MS).breaches;
}

function cycle(values: readonly number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
}

function camera() {
  const intervals = { intervalMs: INTERVAL_MS, maxIntervalMs: 10 * INTERVAL_MS };
  const times = { ...intervals, timeoutMs: TIMEOUT_MS, startAllowanceMs: ALLOWANCE_MS };
  return cameraOf(new URL('http://camera.test/image'), testSource({ name: 'model', ...times }));
}
