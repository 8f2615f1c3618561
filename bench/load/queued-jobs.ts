import { setTimeout as sleep } from 'node:timers/promises';
import {
  refreshJobFor,
  refreshJobId,
  refreshJobOptions,
} from '@lastframe/shared/messages/refresh-job';
import { createLog } from '@lastframe/shared/process/log';
import { openRedis, type RedisLink } from '@lastframe/shared/redis/redis-link';
import { createNodeRedisClient, type JobsOptions, Queue, Worker } from 'bullmq';
import type { RedisServer } from '../../testing/redis/redis-server.ts';
import { numberAfter } from '../figures/number-after.ts';
import { startQueueRedis } from '../servers/queue-redis.ts';

/** How refreshes are kept apart from first calls. Every other job is a first call. */
export interface QueueOrder {
  queues: 1 | 2;
  /** BullMQ's priorities; the lowest number goes first. */
  priorities?: { refresh: number; first: number };
}

export interface JobLoad {
  jobs: number;
  perSecond: number;
  /** How many older jobs stay in the queues. */
  backlog: number;
}

/** What a job costs, from its `add` until it is completed. */
export interface JobCost {
  redisUs: number;
  /** Of the process that adds the job, takes it and completes it. */
  clientUs: number;
  scripts: number;
  /** As Redis counts them: including those within scripts. */
  commands: number;
}

interface JobQueue {
  /** Adds the nth job, and lets a worker complete one. */
  add(n: number): Promise<void>;
  completed(): number;
  close(): Promise<void>;
}

const TICK_MS = 1;
/** These come first and are not counted: from then on, each finished job removes an older one. */
const SETTLING_JOBS = 1500;
/** How many jobs a worker holds; with a backlog, they wait for their turn. */
const CONCURRENCY = 100;
const INTERVAL_MS = 5000;

/** Adds jobs at a steady rate to a Redis of their own; workers complete one job for each. */
export async function measureJobs(order: QueueOrder, load: JobLoad): Promise<JobCost> {
  const redis = await startQueueRedis();
  const log = createLog('bench', 'silent');
  const adding = openRedis({ url: redis.url, name: 'queue', log });
  const taking = openRedis({ url: redis.url, name: 'worker', log, offlineQueue: true });
  await Promise.all([adding.ready(5000), taking.ready(5000)]);
  const queues = await Promise.all(
    Array.from({ length: order.queues }, (_, nth) =>
      openQueue(`refresh-${nth}`, order, load.backlog / order.queues, adding, taking),
    ),
  );
  try {
    await runJobs(queues, 0, SETTLING_JOBS, load.perSecond);
    const before = await readUsage(redis);
    await runJobs(queues, SETTLING_JOBS, load.jobs, load.perSecond);
    const after = await readUsage(redis);
    const perJob = (name: keyof JobCost) => (after[name] - before[name]) / load.jobs;
    return {
      redisUs: perJob('redisUs'),
      clientUs: perJob('clientUs'),
      scripts: perJob('scripts'),
      commands: perJob('commands'),
    };
  } finally {
    for (const queue of queues) await queue.close();
    await Promise.all([adding.close(), taking.close()]);
    await redis.stop();
  }
}

async function openQueue(
  name: string,
  order: QueueOrder,
  backlog: number,
  adding: RedisLink,
  taking: RedisLink,
): Promise<JobQueue> {
  const turns = createTurns();
  let completed = 0;
  // As `refresh-queue.ts` and `refresh-worker.ts` create theirs.
  const queue = new Queue(name, {
    connection: adding.client,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    skipMetasUpdate: true,
    defaultJobOptions: refreshJobOptions,
  }).on('error', () => {});
  await queue.addBulk(Array.from({ length: backlog }, (_, n) => jobOf(`old-${n}`, n, order)));
  const worker = new Worker(
    name,
    async () => {
      await turns.take();
      completed += 1;
      return 'captured';
    },
    {
      connection: createNodeRedisClient(taking.client).on('error', () => {}),
      concurrency: CONCURRENCY,
      skipVersionCheck: true,
    },
  ).on('error', () => {});
  return {
    add: async (n) => {
      turns.give();
      const { name: cameraId, data, opts } = jobOf(`new-${n}`, n, order);
      await queue.add(cameraId, data, opts);
    },
    completed: () => completed,
    close: async () => {
      await worker.close(true);
      await queue.close();
    },
  };
}

function jobOf(camera: string, n: number, { priorities }: QueueOrder) {
  const cameraId = camera.padStart(32, '0');
  const isFirst = n % 2 === 1;
  const nowMs = Date.now();
  const url = `http://cams.example.com/image/${camera}?size=64x36`;
  const data = refreshJobFor({ cameraId, url }, nowMs, { askedBy: 'api-1', isFirst });
  const jobId = refreshJobId(cameraId, INTERVAL_MS, { redisMs: nowMs, sinceMs: 0 });
  const priority = isFirst ? priorities?.first : priorities?.refresh;
  const opts: JobsOptions = { jobId, ...(priority !== undefined && { priority }) };
  return { name: cameraId, data, opts };
}

/** Adds jobs from the nth on, and waits until workers have completed as many. */
async function runJobs(
  queues: readonly JobQueue[],
  from: number,
  count: number,
  perSecond: number,
): Promise<void> {
  const adds: Promise<void>[] = [];
  const beganMs = performance.now();
  for (; adds.length < count; await sleep(TICK_MS)) {
    const due = Math.min(count, (perSecond * (performance.now() - beganMs)) / 1000);
    while (adds.length < due) {
      const n = from + adds.length;
      const queue = queues[n % queues.length];
      if (queue) adds.push(queue.add(n));
    }
  }
  await Promise.all(adds);
  const completed = () => queues.reduce((sum, queue) => sum + queue.completed(), 0);
  while (completed() < from + count) await sleep(TICK_MS);
}

/** Turns to complete a job: each one taken must have been given. */
function createTurns() {
  const waiting: (() => void)[] = [];
  let given = 0;
  return {
    give: () => {
      const next = waiting.shift();
      if (next) next();
      else given += 1;
    },
    take: async () => {
      if (given > 0) given -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

/** Returns what Redis and this process have used since they started. */
async function readUsage(redis: RedisServer): Promise<JobCost> {
  const info = String(await redis.command('INFO', 'everything'));
  const { user, system } = process.cpuUsage();
  const redisS = numberAfter(info, 'used_cpu_user:') + numberAfter(info, 'used_cpu_sys:');
  return {
    redisUs: 1e6 * redisS,
    clientUs: user + system,
    scripts: numberAfter(info, 'cmdstat_evalsha:calls='),
    commands: numberAfter(info, 'total_commands_processed:'),
  };
}
