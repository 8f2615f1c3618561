import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Fleet, Worker } from '../../testing/fleet/fleet.ts';
import type { WrongClock } from '../../testing/fleet/wrong-clock.ts';
import type { TcpProxy } from '../../testing/redis/tcp-proxy.ts';

/** The running system under test, with the tools that disturb it. */
export interface ProofRun {
  fleet: Fleet;
  /** Between every process and Redis. */
  apiProxy: TcpProxy;
  workerProxy: TcpProxy;
  redisClock: WrongClock;
  podClocks: WrongClock[];
  /** Starts a successor and ends this process. If it is killed, its connections may be reset. */
  replaceApi(api: Api, signal: NodeJS.Signals): Promise<void>;
  replaceWorker(worker: Worker, signal: NodeJS.Signals): Promise<void>;
  random: () => number;
}

/** Causes a fault and undoes it. Resolves once it is undone. */
export type Fault = (proof: ProofRun) => Promise<void>;

/** Every fault that can be caused while the fleet runs. */
export const faults: Record<string, Fault> = {
  'worker killed': (proof) => proof.replaceWorker(pick(proof, proof.fleet.workers), 'SIGKILL'),
  'worker stopped': (proof) => proof.replaceWorker(pick(proof, proof.fleet.workers), 'SIGTERM'),
  'api killed': (proof) => proof.replaceApi(pick(proof, proof.fleet.apis), 'SIGKILL'),
  'api stopped': (proof) => proof.replaceApi(pick(proof, proof.fleet.apis), 'SIGTERM'),
  'worker paused': async (proof) => {
    const worker = pick(proof, proof.fleet.workers);
    worker.signal('SIGSTOP');
    await sleep(500 + 5500 * proof.random());
    worker.signal('SIGCONT');
  },
  'redis restarted': async ({ fleet }) => {
    await fleet.redis.kill('SIGKILL');
    await fleet.redis.start();
  },
  'redis restarted empty': async ({ fleet }) => {
    await fleet.redis.kill('SIGKILL');
    await fleet.redis.wipe();
    await fleet.redis.start();
  },
  'redis flushed': async ({ fleet }) => {
    await fleet.redis.command('FLUSHALL');
  },
  'redis frozen': async ({ fleet, random }) => {
    fleet.redis.signal('SIGSTOP');
    await sleep(300 + 3000 * random());
    fleet.redis.signal('SIGCONT');
  },
  'redis slow': async ({ apiProxy, workerProxy, random }) => {
    const ms = 50 + 1500 * random();
    apiProxy.delay(ms);
    workerProxy.delay(ms);
    await sleep(3000);
    apiProxy.heal();
    workerProxy.heal();
  },
  'redis out of memory': async ({ fleet }) => {
    await fleet.redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    await sleep(3000);
    await fleet.redis.command('CONFIG', 'SET', 'maxmemory', '0');
  },
  "redis's clock stepped": async ({ redisClock, random }) => {
    redisClock.setOffset(Math.round((random() - 0.5) * 7_200_000));
    await sleep(2000);
  },
  'workers cut off': ({ workerProxy }) => cut(workerProxy),
  'apis cut off': ({ apiProxy }) => cut(apiProxy),
  'announcements lost': async ({ fleet }) => {
    await fleet.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  },
  'pod clocks wrong': async ({ podClocks, random }) => {
    for (const clock of podClocks) clock.setOffset(Math.round((random() - 0.5) * 7_200_000));
    await sleep(1000);
  },
  'cameras failing': async ({ fleet }) => {
    const misbehaviours = [{ status: '500' }, { as: 'html' }, { as: 'cut' }, { as: 'empty' }];
    for (const [n, how] of misbehaviours.entries())
      await fleet.slow.setBehaviour(`camera-${n}`, how);
    await sleep(4000);
    for (const n of misbehaviours.keys()) await fleet.slow.setBehaviour(`camera-${n}`);
  },
};

async function cut(proxy: TcpProxy): Promise<void> {
  proxy.blackHole();
  await sleep(4000);
  proxy.heal();
}

function pick<T>({ random }: ProofRun, from: readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}
