import { randomUUID } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { type Clock, startStopwatch } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { loadScript, runScript } from '@lastframe/shared/redis/redis-script';
import pRetry from 'p-retry';
import type { RedisMonitor } from './redis-monitor.ts';

const takeScript = loadScript(
  new URL('./identity.lua', import.meta.url),
  new URL('./take.lua', import.meta.url),
);
const finishScript = loadScript(new URL('./finish.lua', import.meta.url));

/** The fleet's leave to call one camera once. */
export interface Permit {
  token: string;
  camera: Camera;
  /** Since asking for it: the call must be sent within the camera's start allowance. */
  elapsedMs: () => number;
}

export type Denial = 'busy' | 'spaced' | 'backoff' | 'budget' | 'hold';

export type Take =
  | { outcome: 'granted'; permit: Permit }
  | { outcome: 'denied'; reason: Denial; waitMs: number }
  /** No reply, a late one, an error, a doubtful clock: nobody calls. */
  | { outcome: 'unknown'; reason: string };

/** How a call ended, for the camera's back-off. `none`: it says nothing about the camera. */
export type Verdict = 'ok' | 'fail' | 'none';

export interface Finish {
  verdict: Verdict;
  /** How much longer the permit has to last; 0 if nothing was sent. */
  restMs: number;
  /** The back-off is at least so long, if the call failed. */
  atLeastMs?: number;
}

export interface Permits {
  take(camera: Camera): Promise<Take>;
  /** Gives how long it is until a permit can be had again, 0 if the permit was no longer ours. */
  finish(permit: Permit, finish: Finish): Promise<number>;
}

export interface PermitDeps {
  clock: Clock;
  /** A connection of its own, without an offline queue. */
  redis: Pick<RedisLink, 'run'>;
  watch: Pick<RedisMonitor, 'whyUnfit' | 'accept'>;
  keys: Keys;
  replicaLagMs: number;
}

const FINISH_DEADLINE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;
const GIVE_BACK_MISSES = 3;

export function createPermits(deps: PermitDeps): Permits {
  return { take: (camera) => take(deps, camera), finish: (...args) => finish(deps, ...args) };
}

async function take(deps: PermitDeps, camera: Camera): Promise<Take> {
  const { clock, watch } = deps;
  const doubt = watch.whyUnfit();
  if (doubt !== undefined) return { outcome: 'unknown', reason: doubt };
  const permit = { token: randomUUID(), camera, elapsedMs: startStopwatch(clock) };
  const sentMonoMs = clock.monoMs();
  const asked = { reply: undefined as Promise<TakeReply> | undefined };
  try {
    const [outcome, ms, redisMs] = await deps.redis.run(
      camera.source.startAllowanceMs,
      (client) => {
        asked.reply = runTake(deps, client, permit);
        return asked.reply;
      },
    );
    const trusted = watch.accept({ redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() });
    if (!trusted) throw new Error("Redis's clock is doubtful");
    // A stopped process may read a reply that lay there for long before its timer tells it so.
    if (permit.elapsedMs() > camera.source.startAllowanceMs) throw new Error('the reply came late');
    if (outcome === 'granted') return { outcome, permit };
    return { outcome: 'denied', reason: outcome, waitMs: ms };
  } catch (error) {
    if (asked.reply) void release(deps, permit, asked.reply);
    return { outcome: 'unknown', reason: messageOf(error) };
  }
}

type TakeReply = [outcome: 'granted' | Denial, ms: number, redisMs: number];

async function runTake(
  { keys, replicaLagMs }: PermitDeps,
  client: Parameters<typeof runScript>[0],
  { token, camera: { cameraId, source } }: Permit,
): Promise<TakeReply> {
  const reply = await runScript(
    client,
    takeScript,
    [
      keys.epoch,
      keys.permit(cameraId),
      keys.backoff(cameraId),
      keys.turn(cameraId),
      keys.calls(source.name),
      keys.rate(source.name),
      keys.waiting(source.name),
    ],
    [
      token,
      String(permitLifeMs(source)),
      String(replicaLagMs),
      String(source.budget.concurrency),
      String(source.budget.perSecond),
    ],
  );
  return reply as TakeReply;
}

async function finish(deps: PermitDeps, permit: Permit, how: Finish): Promise<number> {
  return (await runFinish(deps, permit, how))[1];
}

type FinishReply = [owned: 0 | 1, nextMs: number];

async function runFinish(
  { redis, keys }: PermitDeps,
  { token, camera: { cameraId, source } }: Permit,
  { verdict, restMs, atLeastMs = 0 }: Finish,
): Promise<FinishReply> {
  const reply = await redis.run(FINISH_DEADLINE_MS, (client) =>
    runScript(
      client,
      finishScript,
      [
        keys.permit(cameraId),
        keys.backoff(cameraId),
        keys.failures(cameraId),
        keys.calls(source.name),
      ],
      [
        token,
        String(Math.ceil(restMs)),
        verdict,
        String(source.intervalMs),
        String(BACKOFF_CAP_MS),
        String(Math.ceil(atLeastMs)),
      ],
    ),
  );
  return reply as FinishReply;
}

/**
 * Nothing was sent on this permit and nothing will be: it is given back, or the camera would rest
 * for the permit's whole life. Its reply may be late, or lost with its connection although the
 * command had reached Redis. A frozen Redis may then run it after the first attempt here, so a
 * permit that isn't there is looked for again.
 */
async function release(deps: PermitDeps, permit: Permit, reply: Promise<TakeReply>): Promise<void> {
  const outcome = await reply.then(([said]) => said).catch(() => 'lost' as const);
  if (outcome !== 'granted' && outcome !== 'lost') return;
  let misses = 0;
  for (let pauseMs = 100; misses < GIVE_BACK_MISSES; pauseMs = Math.min(1000, 2 * pauseMs)) {
    if (permit.elapsedMs() > permitLifeMs(permit.camera.source)) return;
    try {
      const [owned] = await runFinish(deps, permit, { verdict: 'none', restMs: 0 });
      if (owned === 1) return;
      misses += 1;
    } catch {
      // Redis is away: its next answer counts
    }
    await deps.clock.sleep(pauseMs);
  }
}

/**
 * Waits for the first attempt only: when Redis hangs, the frame must not wait with it. Later
 * attempts go on until the permit ends by itself.
 */
export async function finishInTime(
  permit: Permit,
  endNow: () => Finish,
  permits: Pick<Permits, 'finish'>,
): Promise<number> {
  const lifeMs = permitLifeMs(permit.camera.source);
  try {
    return await permits.finish(permit, endNow());
  } catch {
    const leftMs = Math.max(0, lifeMs - permit.elapsedMs());
    const retry = { retries: 100, minTimeout: 100, maxTimeout: 1000, maxRetryTime: leftMs };
    void pRetry(() => permits.finish(permit, endNow()), retry).catch(() => {});
    return leftMs;
  }
}
