import { createHash } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { makeRules } from '@lastframe/shared/cameras/rules';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { refreshJobFor } from '@lastframe/shared/messages/refresh-job';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Log } from '@lastframe/shared/process/log';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import type { Capture } from '../../worker/src/camera-call/capture.ts';
import { isOwnLateness } from '../../worker/src/camera-call/lateness.ts';
import { createPermits, type Permits, type Verdict } from '../../worker/src/permit/permits.ts';
import { createRedisMonitor, type RedisMonitor } from '../../worker/src/permit/redis-monitor.ts';
import { type RefreshDeps, refresh } from '../../worker/src/refresh/refresh.ts';
import type { RefreshResults } from '../../worker/src/refresh/refresh-results.ts';
import { type CompiledScript, compileScript } from './lua-script.ts';
import type { SimRedis } from './sim-redis.ts';
import type { SimTime } from './sim-time.ts';

/** A safeguard that a test removes, to check that the model notices. */
export interface Mutation {
  script?: (source: string) => string;
  permits?: (permits: Permits) => Permits;
  monitor?: (watch: RedisMonitor) => RedisMonitor;
}

/** A call as the modelled camera saw it. */
export interface SimCall {
  startMs: number;
  endMs: number | null;
  worker: string;
}

export interface SimWorld {
  time: SimTime;
  camera: Camera;
  calls: SimCall[];
  /** How finished calls were judged. */
  verdicts: Verdict[];
  /** Return how long the schedule's next connection and response take. */
  connectMs: () => number;
  answerMs: () => number;
  mutation: Mutation;
}

export interface SimWorker {
  /** The Redis that it reaches, and the delay each way. Without one, its commands vanish. */
  link: { redis: SimRedis | undefined; delayMs: number };
  /** Stops the worker for that long; `suspended` stops its monotonic clock too. */
  freeze(ms: number, suspended: boolean): void;
  kill(): void;
}

const POLL_EVERY_MS = 1000;
const scripts = new WeakMap<Mutation, Map<string, CompiledScript>>();
const silentLog = new Proxy({}, { get: () => () => {} }) as Log;

/** Creates a worker that runs the real monitor, permit and refresh steps in virtual time. */
export function createSimWorker(
  name: string,
  world: SimWorld,
  redis: SimRedis,
  { adopt = false, wallOffsetMs = 0 } = {},
): SimWorker {
  const { time, camera, calls, mutation } = world;
  const keys = keysFor('model');
  let frozenUntilMs = 0;
  let suspendedMs = 0;
  let frozenMs = 0;
  let dead = false;
  const closing = new AbortController();
  const link: SimWorker['link'] = { redis, delayMs: 1 };

  /** Schedules an event of this worker: later if it is frozen, never if it is dead. */
  const at = (atMs: number, action: () => void) =>
    time.at(atMs, () => {
      if (dead) return;
      if (time.nowMs < frozenUntilMs) at(frozenUntilMs, action);
      else action();
    });
  const sleep = (ms: number) => new Promise<void>((done) => at(time.nowMs + ms, done));
  const clock: Clock = {
    monoMs: () => time.nowMs - suspendedMs,
    wallMs: () => time.nowMs + wallOffsetMs,
    sleep,
  };
  const connection = {
    run: async <T>(deadlineMs: number, command: (client: never) => Promise<T>): Promise<T> => {
      const timeout = sleep(deadlineMs).then(() => {
        throw new Error('no answer in time');
      });
      const work = command(clientOf(link, world, at) as never);
      work.catch(() => {});
      timeout.catch(() => {});
      return await Promise.race([work, timeout]);
    },
  } as Pick<RedisLink, 'run'>;
  const parts = { clock, redis: connection, keys, log: silentLog };
  const polling = { maxReplicaLagMs: 4000, adopt, takesJobs: () => true };
  const realMonitor = createRedisMonitor({ ...parts, ...polling });
  const monitor = mutation.monitor?.(realMonitor) ?? realMonitor;
  const unwatched = createPermits({ ...parts, monitor, replicaLagMs: 6000, onTurn: () => {} });
  const realPermits: Permits = {
    ...unwatched,
    finish: (permit, end) => {
      world.verdicts.push(end.verdict);
      return unwatched.finish(permit, end);
    },
  };
  const permits = mutation.permits?.(realPermits) ?? realPermits;
  const deps: RefreshDeps = {
    clock,
    permits,
    places: {
      admit: async () => ({ outcome: 'admitted' }),
      keepPlace: async () => {},
      releasePlace: async () => {},
    },
    prepareCall: async (_camera, withinMs) => {
      const connectMs = world.connectMs();
      const frozenBeforeMs = frozenMs;
      await sleep(Math.min(connectMs, withinMs));
      const { startAllowanceMs } = camera.source;
      const ownMs = frozenMs - frozenBeforeMs + startAllowanceMs - withinMs;
      if (connectMs > withinMs) {
        return isOwnLateness(ownMs, startAllowanceMs)
          ? { outcome: 'late' }
          : { outcome: 'failed', status: 504, reason: 'slow' };
      }
      return { outcome: 'connected', call: callOf(name, world, at, camera) };
    },
    finishPermit: finishOnceMore(permits, clock),
    results: RESULTS,
    redirects: { read: async () => undefined, remember: async () => {}, forget: async () => {} },
    conditionalCalls: {
      mayUse: () => false,
      validatorsFor: () => undefined,
      onResult: () => false,
    },
    rules: () => makeRules([camera.source]),
    slots: { enter: () => () => {} },
    redisNowMs: monitor.nowMs,
    closing: closing.signal,
    reserveWaitingSlot: () => () => {},
    log: silentLog,
  };

  const pollRedis = () => {
    void monitor.poll();
    at(time.nowMs + POLL_EVERY_MS, pollRedis);
  };
  /** The frame is always in demand: a refresh starts as soon as the last ends or may be retried. */
  const demand = async () => {
    let retryMs = 200;
    const job = refreshJobFor(camera, monitor.nowMs() ?? 0);
    const results = { ...deps.results };
    results.announceWait = async (_camera, _reason, inMs) => {
      retryMs = Math.min(inMs, 3000);
    };
    const outcome = await refresh(job, { ...deps, results });
    if (outcome.kind === 'captured') retryMs = 0;
    at(time.nowMs + retryMs + 1, () => void demand());
  };
  at(time.nowMs, pollRedis);
  at(time.nowMs + 10, () => void demand());

  return {
    link,
    freeze: (ms, suspended) => {
      frozenUntilMs = Math.max(frozenUntilMs, time.nowMs + ms);
      frozenMs += ms;
      if (suspended) suspendedMs += ms;
    },
    kill: () => {
      dead = true;
      for (const call of calls) if (call.worker === name) call.endMs ??= time.nowMs;
    },
  };
}

/** Sends scripts over a slow link to the Redis that the worker reaches at that moment. */
function clientOf(
  link: SimWorker['link'],
  world: SimWorld,
  at: (atMs: number, action: () => void) => void,
) {
  const { time, mutation } = world;
  const compiled = scripts.get(mutation) ?? new Map<string, CompiledScript>();
  scripts.set(mutation, compiled);
  const send = <T>(execute: (redis: SimRedis) => T) =>
    new Promise<T>((resolve, reject) => {
      const { redis, delayMs } = link;
      if (!redis) return; // swallowed; the deadline ends it
      time.at(time.nowMs + delayMs, () => {
        let settle: () => void;
        try {
          const reply = execute(redis);
          settle = () => resolve(reply);
        } catch (error) {
          settle = () => reject(error);
        }
        at(time.nowMs + delayMs, settle);
      });
    });
  const run = (script: CompiledScript, { keys, arguments: args }: ScriptInput) =>
    send((redis) => script((command) => redis.command(command), keys, args));
  return {
    evalSha: async (sha: string, input: ScriptInput) => {
      const script = compiled.get(sha);
      if (!script) throw new Error('NOSCRIPT');
      return await run(script, input);
    },
    eval: async (source: string, input: ScriptInput) => {
      const script = compileScript(mutation.script?.(source) ?? source);
      compiled.set(createHash('sha1').update(source).digest('hex'), script);
      return await run(script, input);
    },
    info: () => send(() => ''),
    set: () => send(() => 'OK'),
    configGet: () => send(() => ({})),
  };
}

interface ScriptInput {
  keys: string[];
  arguments: string[];
}

/** One call: starts when it is sent, and ends with the response, the deadline or a hang-up. */
function callOf(
  worker: string,
  { time, calls, answerMs }: SimWorld,
  at: (atMs: number, action: () => void) => void,
  camera: Camera,
) {
  let hangUp = () => {};
  return {
    destroy: () => hangUp(),
    release: () => {},
    send: () =>
      new Promise<Capture>((resolve) => {
        const call: SimCall = { startMs: time.nowMs, endMs: null, worker };
        calls.push(call);
        const end = (capture: Capture) => {
          call.endMs ??= time.nowMs;
          resolve(capture);
        };
        hangUp = () => end({ outcome: 'failed', status: 502, reason: 'cut off' });
        const takesMs = answerMs();
        // The camera ends its response even if the worker is frozen.
        time.at(time.nowMs + takesMs, () => {
          call.endMs ??= time.nowMs;
          const image = {
            bytes: Buffer.of(1),
            contentType: 'image/jpeg',
            hints: { isCopy: false },
          };
          at(time.nowMs, () => resolve({ outcome: 'captured', ...image }));
        });
        at(time.nowMs + camera.source.timeoutMs, () =>
          end({ outcome: 'failed', status: 504, reason: 'deadline' }),
        );
      }),
  };
}

/** Retries once, in virtual time. */
function finishOnceMore({ finish }: Permits, clock: Clock): RefreshDeps['finishPermit'] {
  return async (permit, endNow) => {
    try {
      return await finish(permit, endNow());
    } catch {
      void clock.sleep(500).then(() => finish(permit, endNow()).catch(() => {}));
      return permitLifeMs(permit.camera.source) - permit.elapsedMs();
    }
  };
}

/** The frame store and the announcements do not matter here. */
const RESULTS: RefreshResults = {
  announceStart: () => {},
  storeFrame: async () => 'frame',
  readKnownFrame: async () => undefined,
  readCadence: async () => undefined,
  renewFrame: async () => 'unchanged',
  storeFailure: async () => {},
  storeRejection: async () => {},
  announceWait: async () => {},
};
