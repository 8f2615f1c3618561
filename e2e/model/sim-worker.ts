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
import { createPermits, type Permits } from '../../worker/src/permit/permits.ts';
import { createRedisMonitor, type RedisMonitor } from '../../worker/src/permit/redis-monitor.ts';
import { type RefreshDeps, refresh } from '../../worker/src/refresh/refresh.ts';
import type { RefreshResults } from '../../worker/src/refresh/refresh-results.ts';
import { type CompiledScript, compileScript } from './lua-script.ts';
import type { SimRedis } from './sim-redis.ts';
import type { SimTime } from './sim-time.ts';

/** What a test takes out of the walls, to see that the model notices. */
export interface Mutation {
  script?: (source: string) => string;
  permits?: (permits: Permits) => Permits;
  watch?: (watch: RedisMonitor) => RedisMonitor;
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
  /** Next in the schedule's list: how long a connection and an answer take. */
  connectMs: () => number;
  answerMs: () => number;
  mutation: Mutation;
}

export interface SimWorker {
  /** The Redis that it reaches, and how slowly; none: its commands vanish. */
  link: { redis: SimRedis | undefined; delayMs: number };
  /** Nothing of it runs until then; suspended, its monotonic clock stands still too. */
  freeze(ms: number, suspended: boolean): void;
  kill(): void;
}

const LOOK_EVERY_MS = 1000;
const scripts = new WeakMap<Mutation, Map<string, CompiledScript>>();
const silent = new Proxy({}, { get: () => () => {} }) as Log;

/** A worker that runs the real watch, permit and refresh steps in virtual time. */
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
  let dead = false;
  const closing = new AbortController();
  const link: SimWorker['link'] = { redis, delayMs: 1 };

  /** An event of this worker: when frozen it comes later, when dead never. */
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
      const late = sleep(deadlineMs).then(() => {
        throw new Error('no answer in time');
      });
      const work = command(clientOf(link, world, at) as never);
      work.catch(() => {});
      late.catch(() => {});
      return await Promise.race([work, late]);
    },
  } as Pick<RedisLink, 'run'>;
  const realWatch = createRedisMonitor({
    clock,
    redis: connection,
    keys,
    log: silent,
    maxReplicaLagMs: 4000,
    adopt,
    takesJobs: () => true,
  });
  const watch = mutation.watch?.(realWatch) ?? realWatch;
  const realPermits = createPermits({ clock, redis: connection, watch, keys, replicaLagMs: 6000 });
  const permits = mutation.permits?.(realPermits) ?? realPermits;
  const deps: RefreshDeps = {
    clock,
    permits,
    places: { admit: async () => ({ outcome: 'admitted' }), leave: async () => {} },
    prepareCall: async (_camera, withinMs) => {
      const connectMs = world.connectMs();
      await sleep(Math.min(connectMs, withinMs));
      if (connectMs > withinMs) return { outcome: 'failed', status: 504, reason: 'late' };
      return { outcome: 'connected', call: callOf(name, world, at, camera) };
    },
    reporter: reporterOf(permits, clock),
    rules: () => makeRules([camera.source]),
    redisNowMs: watch.nowMs,
    closing: closing.signal,
    waitingPlace: () => ({ release: () => {} }),
    log: silent,
  };

  const looks = () => {
    void watch.poll();
    at(time.nowMs + LOOK_EVERY_MS, looks);
  };
  /** Somebody always wants the frame: as soon as one refresh ends, or may be tried again, the next. */
  const demand = async () => {
    let againMs = 200;
    const job = refreshJobFor(camera, watch.nowMs() ?? 0);
    const reporter = { ...deps.reporter };
    reporter.wait = async (_camera, _reason, inMs) => {
      againMs = Math.min(inMs, 3000);
    };
    const outcome = await refresh(job, { ...deps, reporter });
    if (outcome === 'captured') againMs = 0;
    at(time.nowMs + againMs + 1, () => void demand());
  };
  at(time.nowMs, looks);
  at(time.nowMs + 10, () => void demand());

  return {
    link,
    freeze: (ms, suspended) => {
      frozenUntilMs = Math.max(frozenUntilMs, time.nowMs + ms);
      if (suspended) suspendedMs += ms;
    },
    kill: () => {
      dead = true;
      for (const call of calls) if (call.worker === name) call.endMs ??= time.nowMs;
    },
  };
}

/** Sends scripts over a slow line to whichever Redis the worker reaches at that moment. */
function clientOf(
  link: SimWorker['link'],
  world: SimWorld,
  at: (atMs: number, action: () => void) => void,
) {
  const { time, mutation } = world;
  const known = scripts.get(mutation) ?? new Map<string, CompiledScript>();
  scripts.set(mutation, known);
  const send = <T>(execute: (redis: SimRedis) => T) =>
    new Promise<T>((resolve, reject) => {
      const { redis, delayMs } = link;
      if (!redis) return; // swallowed; the deadline tells
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
      const script = known.get(sha);
      if (!script) throw new Error('NOSCRIPT');
      return await run(script, input);
    },
    eval: async (source: string, input: ScriptInput) => {
      const script = compileScript(mutation.script?.(source) ?? source);
      known.set(createHash('sha1').update(source).digest('hex'), script);
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

/** One call: it starts at the camera when it is sent, and ends by its answer, deadline or cut. */
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
        // The camera ends its answer whether or not the worker is awake to read it.
        time.at(time.nowMs + takesMs, () => {
          call.endMs ??= time.nowMs;
          const image = { bytes: Buffer.of(1), contentType: 'image/jpeg' };
          at(time.nowMs, () => resolve({ outcome: 'captured', ...image }));
        });
        at(time.nowMs + camera.source.timeoutMs, () =>
          end({ outcome: 'failed', status: 504, reason: 'deadline' }),
        );
      }),
  };
}

/** The frame store and the announcements don't matter here; ending the permit does. */
function reporterOf(permits: Permits, clock: Clock): RefreshResults {
  return {
    started: () => {},
    frame: async () => 'frame',
    known: async () => undefined,
    renewed: async () => 'unchanged',
    failed: async () => {},
    refused: async () => {},
    wait: async () => {},
    finish: async (permit, endNow) => {
      try {
        return await permits.finish(permit, endNow());
      } catch {
        void clock.sleep(500).then(() => permits.finish(permit, endNow()).catch(() => {}));
        return permitLifeMs(permit.camera.source) - permit.elapsedMs();
      }
    },
  };
}
