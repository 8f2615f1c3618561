import { randomUUID } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import type { Denial } from '@lastframe/shared/messages/announcement';
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

/** The right to call one camera once, fleet-wide. */
export interface Permit {
  token: string;
  camera: Camera;
  /** Time since its request: the call must be sent within the camera's start allowance. */
  elapsedMs: () => number;
  /** Only keeps the spacing: the call goes elsewhere, and counts in the budget there. */
  isForSpacing?: boolean | undefined;
}

export interface TakeOptions {
  /** The camera has no frame yet. */
  isFirst?: boolean | undefined;
  /** The call goes elsewhere, and counts in the budget there. */
  isForSpacing?: boolean | undefined;
}

export type TakeResult =
  | { outcome: 'granted'; permit: Permit }
  | { outcome: 'denied'; reason: Denial; waitMs: number }
  /** No reply, a late one, an error, a doubtful clock: no call. */
  | { outcome: 'unknown'; reason: string };

/**
 * How a call ended, for the camera's back-off. Neither `none` nor `late` says anything about the
 * camera: the call was aborted, or this worker was too slow.
 */
export type Verdict = 'ok' | 'fail' | 'none' | 'late';

export interface CallEnd {
  verdict: Verdict;
  /** How much longer the permit has to last; 0 if nothing was sent. */
  restMs: number;
  /** The least back-off, if the call failed. */
  minBackoffMs?: number;
}

export interface Permits {
  take(camera: Camera, options?: TakeOptions): Promise<TakeResult>;
  /** Returns the time until the next permit, in ms; 0 if this one was no longer held. */
  finish(permit: Permit, end: CallEnd): Promise<number>;
}

export interface PermitDeps {
  clock: Clock;
  /** A connection of its own, without an offline queue. */
  redis: Pick<RedisLink, 'run'>;
  monitor: Pick<RedisMonitor, 'whyUnfit' | 'accept'>;
  keys: Keys;
  replicaLagMs: number;
  /** Called when the end of a call has left a slot to a camera that waits for its source's budget. */
  onTurn: (cameraId: string) => void;
}

const FINISH_DEADLINE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;
const RELEASE_MISSES = 3;

export function createPermits(deps: PermitDeps): Permits {
  return {
    take: (camera, options = {}) => take(deps, camera, options),
    finish: async (permit, end) => (await runFinish(deps, permit, end))[1],
  };
}

async function take(
  deps: PermitDeps,
  camera: Camera,
  { isFirst = false, isForSpacing = false }: TakeOptions,
): Promise<TakeResult> {
  const { clock, monitor } = deps;
  const unfitReason = monitor.whyUnfit();
  if (unfitReason !== undefined) return { outcome: 'unknown', reason: unfitReason };
  const permit = { token: randomUUID(), camera, elapsedMs: startStopwatch(clock), isForSpacing };
  const sentMonoMs = clock.monoMs();
  const pending = { reply: undefined as Promise<TakeReply> | undefined };
  try {
    const [outcome, ms, redisMs] = await deps.redis.run(
      camera.source.startAllowanceMs,
      (client) => {
        pending.reply = runTake(deps, client, permit, isFirst);
        return pending.reply;
      },
    );
    const trusted = monitor.accept({ redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() });
    if (!trusted) throw new Error("Redis's clock cannot be trusted");
    // A paused process may read an old reply before its timer fires.
    if (permit.elapsedMs() > camera.source.startAllowanceMs)
      throw new Error('the reply arrived too late');
    if (outcome === 'granted') return { outcome, permit };
    return { outcome: 'denied', reason: outcome, waitMs: ms };
  } catch (error) {
    if (pending.reply) void release(deps, permit, pending.reply);
    return { outcome: 'unknown', reason: messageOf(error) };
  }
}

/** No source has such a name. */
const FOR_SPACING = ' spacing';
const NO_BUDGET: Source['budget'] = { perSecond: 0, concurrency: 0 };

/** Returns in whose budget a permit's call counts. */
function budgetOf({ camera: { source }, isForSpacing }: Permit) {
  return isForSpacing
    ? { budgetName: FOR_SPACING, budget: NO_BUDGET }
    : { budgetName: source.name, budget: source.budget };
}

type TakeReply = [outcome: 'granted' | Denial, ms: number, redisMs: number];

async function runTake(
  { keys, replicaLagMs }: PermitDeps,
  client: Parameters<typeof runScript>[0],
  permit: Permit,
  isFirst: boolean,
): Promise<TakeReply> {
  const { cameraId, source } = permit.camera;
  const { budgetName, budget } = budgetOf(permit);
  const reply = await runScript(
    client,
    takeScript,
    [
      keys.epoch,
      keys.permit(cameraId),
      keys.backoff(cameraId),
      keys.turn(cameraId),
      keys.calls(budgetName),
      keys.rate(budgetName),
      keys.waitingSince(budgetName),
      keys.waitingUntil(budgetName),
    ],
    [
      permit.token,
      String(permitLifeMs(source)),
      String(replicaLagMs),
      String(budget.concurrency),
      String(budget.perSecond),
      cameraId,
      isFirst ? '1' : '',
    ],
  );
  return reply as TakeReply;
}

type FinishReply = [owned: 0 | 1, nextMs: number, turnOf?: string];

async function runFinish(
  { redis, keys, onTurn }: PermitDeps,
  permit: Permit,
  { verdict, restMs, minBackoffMs = 0 }: CallEnd,
): Promise<FinishReply> {
  const { cameraId, source } = permit.camera;
  const { budgetName, budget } = budgetOf(permit);
  const reply = (await redis.run(FINISH_DEADLINE_MS, (client) =>
    runScript(
      client,
      finishScript,
      [
        keys.permit(cameraId),
        keys.backoff(cameraId),
        keys.failures(cameraId),
        keys.calls(budgetName),
        keys.waitingSince(budgetName),
      ],
      [
        permit.token,
        String(Math.ceil(restMs)),
        verdict,
        String(source.intervalMs),
        String(BACKOFF_CAP_MS),
        String(Math.ceil(minBackoffMs)),
        String(budget.concurrency),
      ],
    ),
  )) as FinishReply;
  if (reply[2]) onTurn(reply[2]);
  return reply;
}

/**
 * Releases a permit with which nothing was or will be sent: otherwise the camera would rest for the
 * permit's whole life. The reply may be late, or lost with its connection although Redis has the
 * command. A frozen Redis may run it after the first attempt here, so a missing permit is retried.
 */
async function release(deps: PermitDeps, permit: Permit, reply: Promise<TakeReply>): Promise<void> {
  const outcome = await reply.then(([result]) => result).catch(() => 'lost' as const);
  if (outcome !== 'granted' && outcome !== 'lost') return;
  let misses = 0;
  for (let pauseMs = 100; misses < RELEASE_MISSES; pauseMs = Math.min(1000, 2 * pauseMs)) {
    if (permit.elapsedMs() > permitLifeMs(permit.camera.source)) return;
    try {
      const [owned] = await runFinish(deps, permit, { verdict: 'none', restMs: 0 });
      if (owned === 1) return;
      misses += 1;
    } catch {
      // Redis is unreachable: only replies count as misses
    }
    await deps.clock.sleep(pauseMs);
  }
}

/**
 * Finishes a permit, waiting only for the first attempt: a hanging Redis must not delay the frame.
 * Retries continue in the background until the permit expires.
 */
export async function finishWithRetries(
  permit: Permit,
  endNow: () => CallEnd,
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
