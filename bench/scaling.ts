import { createHash } from 'node:crypto';
import {
  type CostConstants,
  type FleetShape,
  type Prediction,
  predict,
  refreshesPerSecond,
  terms,
} from './figures/cost-model.ts';
import {
  type BenchContext,
  type Figure,
  guaranteeRows,
  type Measured,
  numberText,
  spreadOf,
} from './figures/figure.ts';
import { type FleetCost, measureFleet } from './figures/fleet-cost.ts';
import { fitCosts } from './figures/least-squares.ts';
import { measureSteps } from './scaling-steps.ts';

const INTERVAL_MS = 5000;
const FRAME_BYTES = 20_000;
const CAMERAS = [100, 1000, 5000];
const PODS = [1, 3, 10];
/** The constants are fitted to these fleets and predict the others. */
const FITTED = ['100/1', '1000/1', '1000/3', '1000/10'];
/** The largest relative error of a prediction that holds. */
const MAX_ERROR = 0.25;
/** With a smaller share of due calls made, the machine is overloaded: not compared. */
const MIN_SHARE_OF_DUE = 0.75;

export const scaling: Figure = {
  name: 'scaling',
  title: 'Cost model: predicted and measured',
  how: '[scaling.md](scaling.md) has the formulas; the constants are in milliseconds, fitted to 100 cameras with one pod and 1,000 with 1, 3 and 10. The prediction stands as the target; ✗ marks one more than a quarter off. The load is that of *CPU per refresh*, with each request for a camera sent to a different pod. Each *step* is measured on its own, with 1,000 cameras and three pods.',
  measure: async (context) => {
    const runs: Run[] = [];
    for (const cameras of context.quick ? CAMERAS.slice(0, 1) : CAMERAS) {
      for (const pods of context.quick ? PODS.slice(0, 2) : PODS) {
        runs.push(await measureShape(cameras, pods, context));
      }
    }
    const constants = fitConstants(runs);
    return [
      ...constantRows(constants),
      ...runs.flatMap((run) => comparedRows(run, constants)),
      ...(await measureSteps(context)),
      ...paperRows(constants),
      ...shardRows(),
    ];
  },
};

interface Run {
  shape: FleetShape;
  cost: FleetCost;
  /** Per second. */
  measured: Prediction;
}

async function measureShape(cameras: number, pods: number, context: BenchContext): Promise<Run> {
  const cost = await measureFleet(
    {
      apis: pods,
      cameras,
      intervalMs: INTERVAL_MS,
      delayMs: 2000,
      sizeBytes: FRAME_BYTES,
      at: 'one',
      rampMs: cameras > 1000 ? 3 * INTERVAL_MS : INTERVAL_MS,
      settleMs: 2 * INTERVAL_MS,
      measureMs: (context.quick ? 1 : 2) * INTERVAL_MS,
    },
    context,
    `${cameras} cameras, ${pods} pods`,
  );
  const perSecond = cost.refreshes / cost.seconds;
  const shape = shapeOf(cameras, pods, cost.requests * perSecond);
  const measured = {
    scripts: cost.commands.evalsha ?? 0,
    workerMs: cost.workerMs * perSecond,
    redisMs: cost.redisMs * perSecond,
    apiMs: cost.apiMs * perSecond,
    inBytes: cost.inBytes * perSecond,
    outBytes: cost.outBytes * perSecond,
  };
  return { shape, cost, measured };
}

/**
 * Each request for a camera goes to a different pod, so two pods watch it at a time. With more than
 * two pods, each request reaches one that does not.
 */
function shapeOf(cameras: number, pods: number, requestsPerSecond: number): FleetShape {
  const watchingPods = Math.min(2, pods);
  return {
    cameras,
    intervalMs: INTERVAL_MS,
    frameBytes: FRAME_BYTES,
    pods,
    watchingPods,
    requestsPerSecond,
    arrivalsPerSecond: pods > 2 ? requestsPerSecond : 0,
  };
}

function fitConstants(runs: readonly Run[]): CostConstants {
  const chosen = runs.filter(({ shape }) => FITTED.includes(`${shape.cameras}/${shape.pods}`));
  const costsOf = (part: 'worker' | 'redis' | 'api') =>
    fitCosts(
      chosen.map(({ shape, measured }) => ({
        terms: [...terms[part](shape), part === 'api' ? shape.pods : 1],
        value: measured[`${part}Ms`],
      })),
    );
  const [worker, redis, api] = [costsOf('worker'), costsOf('redis'), costsOf('api')];
  const at = (costs: number[], n: number) => costs[n] ?? 0;
  return {
    worker: { refresh: at(worker, 0), wakeUp: at(worker, 1) },
    redis: { refresh: at(redis, 0), wakeUp: at(redis, 1), read: at(redis, 2) },
    api: { read: at(api, 0), hear: at(api, 1), request: at(api, 2) },
    idle: { worker: at(worker, 2), redis: at(redis, 3), pod: at(api, 3) },
  };
}

function constantRows({ worker, redis, api, idle }: CostConstants): Measured[] {
  const row = (what: string, unit: string, value: number) => ({
    of: 'constants',
    what,
    unit,
    ...spreadOf([value]),
  });
  return [
    row('worker, per refresh', 'ms', worker.refresh),
    row('worker, per wake-up', 'ms', worker.wakeUp),
    row('Redis, per refresh', 'ms', redis.refresh),
    row('Redis, per wake-up of the worker', 'ms', redis.wakeUp),
    row('Redis, per frame read by a pod', 'ms', redis.read),
    row('api, per frame read', 'ms', api.read),
    row('api, per announced refresh', 'ms', api.hear),
    row('api, per request', 'ms', api.request),
    row('idle worker', 'ms/s', idle.worker),
    row('idle Redis', 'ms/s', idle.redis),
    row('idle pod', 'ms/s', idle.pod),
  ];
}

function comparedRows({ shape, cost, measured }: Run, constants: CostConstants): Measured[] {
  const of = `${numberText(shape.cameras)} cameras, ${shape.pods} pods`;
  const share = { of, what: 'due calls made', unit: '%' };
  const shareRow = { ...share, ...spreadOf([100 * cost.shareOfDue]) };
  const guarantee = guaranteeRows(of, cost.verdict);
  if (cost.shareOfDue < MIN_SHARE_OF_DUE) {
    return [
      { ...shareRow, target: { text: 'too much for this machine', isMet: false } },
      ...guarantee,
    ];
  }
  // Predict for the refreshes that were made; a machine that is too small makes fewer.
  const made = { ...shape, cameras: (cost.refreshes / cost.seconds) * (shape.intervalMs / 1000) };
  const predicted = predict(made, constants);
  const row = (what: string, unit: string, key: keyof Prediction, scale = 1) => {
    const isMet = Math.abs(measured[key] / predicted[key] - 1) <= MAX_ERROR;
    const target = { text: `predicted ${numberText(predicted[key] / scale)}`, isMet };
    return { of, what, unit, ...spreadOf([measured[key] / scale]), target };
  };
  return [
    shareRow,
    row('Redis scripts per refresh', '', 'scripts'),
    row('worker', 'cores', 'workerMs', 1000),
    row('Redis', 'cores', 'redisMs', 1000),
    row('all pods', 'cores', 'apiMs', 1000),
    row('to Redis', 'MB/s', 'inBytes', 1e6),
    row('from Redis', 'MB/s', 'outBytes', 1e6),
    ...guarantee,
  ];
}

/** Predictions for fleets too large to measure here. */
function paperRows(constants: CostConstants): Measured[] {
  return [10_000, 100_000].flatMap((cameras) => {
    const pods = cameras / 5000;
    const of = `on paper: ${numberText(cameras)} cameras, ${pods} pods`;
    const shape = shapeOf(cameras, pods, cameras / 5);
    const { workerMs, redisMs, apiMs, inBytes, outBytes } = predict(shape, constants);
    const row = (what: string, unit: string, value: number) => ({
      of,
      what,
      unit,
      ...spreadOf([value]),
    });
    return [
      row('refreshes per second', '', refreshesPerSecond(shape)),
      row('workers', 'cores', workerMs / 1000),
      row('Redis', 'cores', redisMs / 1000),
      row('all pods', 'cores', apiMs / 1000),
      row('to and from Redis', 'MB/s', (inBytes + outBytes) / 1e6),
    ];
  });
}

/** Simulates how evenly 100,000 cameras spread over shards by the hash of their id. */
function shardRows(): Measured[] {
  return [2, 4, 16].map((shards) => {
    const counts = new Array<number>(shards).fill(0);
    for (let camera = 0; camera < 100_000; camera += 1) {
      const id = createHash('sha256').update(`http://cameras.test/${camera}`).digest();
      const shard = id.readUInt32BE(0) % shards;
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    return {
      of: 'simulated: 100,000 cameras sharded by hash',
      what: `fullest of ${shards} shards above the mean`,
      unit: '%',
      ...spreadOf([100 * ((Math.max(...counts) * shards) / 100_000 - 1)]),
    };
  });
}
