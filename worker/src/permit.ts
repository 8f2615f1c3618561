import { randomUUID } from 'node:crypto';
import type { Camera } from '@lastframe/shared/camera';
import { type Clock, startStopwatch } from '@lastframe/shared/clock';
import { messageOf } from '@lastframe/shared/errors';
import type { Keys } from '@lastframe/shared/keys';
import type { RedisLink } from '@lastframe/shared/redis-link';
import { loadScript, runScript } from '@lastframe/shared/redis-script';
import { permitLifeMs } from './permit-times.ts';
import type { RedisWatch } from './redis-watch.ts';

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
  watch: Pick<RedisWatch, 'doubt' | 'accept'>;
  keys: Keys;
  replicaLagMs: number;
}

const FINISH_DEADLINE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;

export function createPermits(deps: PermitDeps): Permits {
  return { take: (camera) => take(deps, camera), finish: (...args) => finish(deps, ...args) };
}

async function take(deps: PermitDeps, camera: Camera): Promise<Take> {
  const { clock, watch } = deps;
  const doubt = watch.doubt();
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
    if (!watch.accept({ redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() })) {
      if (outcome === 'granted') void giveBack(deps, permit);
      return { outcome: 'unknown', reason: "Redis's clock is doubtful" };
    }
    if (outcome === 'granted') return { outcome, permit };
    return { outcome: 'denied', reason: outcome, waitMs: ms };
  } catch (error) {
    // Should it ever say granted, nothing was sent on it: give it back.
    asked.reply?.then(
      ([outcome]) => (outcome === 'granted' ? giveBack(deps, permit) : undefined),
      () => {},
    );
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

async function finish(
  { redis, keys }: PermitDeps,
  { token, camera: { cameraId, source } }: Permit,
  { verdict, restMs, atLeastMs = 0 }: Finish,
): Promise<number> {
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
  return (reply as [owned: number, nextMs: number])[1];
}

async function giveBack(deps: PermitDeps, permit: Permit): Promise<void> {
  await finish(deps, permit, { verdict: 'none', restMs: 0 }).catch(() => {});
}
