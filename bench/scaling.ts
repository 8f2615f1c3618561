import {
  type FleetShape,
  fitCosts,
  type Prediction,
  predict,
  type Terms,
} from './figures/cost-model.ts';
import {
  type BenchContext,
  type Figure,
  type Measured,
  numberText,
  rowsOf,
} from './figures/figure.ts';
import { type FleetCost, type FleetLoad, measureFleet } from './figures/fleet-cost.ts';

const INTERVAL_MS = 5000;
const CAMERAS = [100, 1000, 5000];
const PODS = [1, 3, 10];
/** The costs are fitted to these fleets and predict the others. */
const FITTED = ['100/1', '1000/1', '1000/3', '1000/10'];
/** The largest relative error of a prediction that holds. */
const MAX_ERROR = 0.25;
/** With a smaller share of due calls made, the machine is overloaded: not compared. */
const MIN_SHARE_OF_DUE = 0.75;

/** The steps past the first limit, in the order of docs/scaling.md. */
const STEPS: readonly { step: string; change: Partial<FleetLoad> }[] = [
  { step: 'none', change: {} },
  { step: 'a Redis for the frames', change: { separateFramesRedis: true } },
  { step: 'two workers', change: { workers: 2 } },
  { step: 'each camera at its own pod', change: { at: 'own' } },
];

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
    const costs = fitCosts(
      runs.filter(({ cameras, pods }) => FITTED.includes(`${cameras}/${pods}`)),
    );
    const steps: Measured[] = [];
    for (const { step, change } of STEPS) steps.push(...(await measureStep(step, change, context)));
    return [
      ...costRows(costs),
      ...runs.flatMap((run) => comparedRows(run, costs)),
      ...steps,
      ...paperRows(costs),
    ];
  },
};

interface Run {
  cameras: number;
  pods: number;
  cost: FleetCost;
  shape: FleetShape;
  measured: Prediction;
}

const loadOf = (cameras: number, pods: number): FleetLoad => ({
  cameras,
  apis: pods,
  intervalMs: INTERVAL_MS,
  delayMs: 2000,
  intervals: 2,
});

async function measureShape(cameras: number, pods: number, context: BenchContext): Promise<Run> {
  const label = `${cameras} cameras, ${pods} pods`;
  const cost = await measureFleet(label, loadOf(cameras, pods), context);
  const perSecond = cost.refreshesPerSecond;
  // For the refreshes that were made; a machine that is too small makes fewer.
  const shape = shapeOf(perSecond, pods, cost.requestsPerSecond);
  const measured = {
    scripts: cost.scripts,
    workerMs: cost.workerMs * perSecond,
    redisMs: cost.redisMs * perSecond,
    apiMs: cost.apiMs * perSecond,
    inBytes: cost.inBytes * perSecond,
    outBytes: cost.outBytes * perSecond,
  };
  return { cameras, pods, cost, shape, measured };
}

/**
 * Each request for a camera goes to a different pod, so two pods watch it at a time. With more than
 * two pods, each request reaches one that does not.
 */
function shapeOf(refreshesPerSecond: number, pods: number, requestsPerSecond: number): FleetShape {
  return {
    refreshesPerSecond,
    frameBytes: 20_000,
    pods,
    watchingPods: Math.min(2, pods),
    requestsPerSecond,
    arrivalsPerSecond: pods > 2 ? requestsPerSecond : 0,
  };
}

function costRows(costs: Terms): Measured[] {
  const row = rowsOf('constants');
  return Object.entries(costs).flatMap(([part, terms]) =>
    Object.entries(terms).map(([term, costMs]) => row(`${part}, ${term}`, 'ms', costMs)),
  );
}

function comparedRows({ cameras, pods, cost, shape, measured }: Run, costs: Terms): Measured[] {
  const row = rowsOf(`${numberText(cameras)} cameras, ${pods} pods`);
  const share = row('due calls made', '%', 100 * cost.shareOfDue);
  if (cost.shareOfDue < MIN_SHARE_OF_DUE)
    return [{ ...share, target: { text: 'too much for this machine', isMet: false } }];
  const predicted = predict(shape, costs);
  const compared = (what: string, unit: string, key: keyof Prediction, scale = 1): Measured => {
    const isMet = Math.abs(measured[key] / predicted[key] - 1) <= MAX_ERROR;
    const target = { text: `predicted ${numberText(predicted[key] / scale)}`, isMet };
    return { ...row(what, unit, measured[key] / scale), target };
  };
  return [
    share,
    compared('Redis scripts per refresh', '', 'scripts'),
    compared('worker', 'cores', 'workerMs', 1000),
    compared('Redis', 'cores', 'redisMs', 1000),
    compared('all pods', 'cores', 'apiMs', 1000),
    compared('to Redis', 'MB/s', 'inBytes', 1e6),
    compared('from Redis', 'MB/s', 'outBytes', 1e6),
  ];
}

/** Measures 1,000 cameras and three pods with one step alone. */
async function measureStep(step: string, change: Partial<FleetLoad>, context: BenchContext) {
  const cost = await measureFleet(`step: ${step}`, { ...loadOf(1000, 3), ...change }, context);
  const row = rowsOf(`step: ${step}`);
  const perSecond = cost.refreshesPerSecond;
  const cores = (what: string, ms: number) => row(what, 'cores', (ms * perSecond) / 1000);
  return [
    row('due calls made', '%', 100 * cost.shareOfDue),
    cores('each worker', cost.workerMs / (change.workers ?? 1)),
    cores('queue Redis', cost.redisMs),
    ...(change.separateFramesRedis ? [cores('frames Redis', cost.framesRedisMs)] : []),
    cores('all pods', cost.apiMs),
    row('from queue Redis', 'MB/s', (cost.outBytes * perSecond) / 1e6),
  ];
}

/** Predictions for fleets too large to measure here. */
function paperRows(costs: Terms): Measured[] {
  return [10_000, 100_000].flatMap((cameras) => {
    const pods = cameras / 5000;
    const perSecond = (1000 * cameras) / INTERVAL_MS;
    const predicted = predict(shapeOf(perSecond, pods, perSecond), costs);
    const row = rowsOf(`on paper: ${numberText(cameras)} cameras, ${pods} pods`);
    return [
      row('refreshes per second', '', perSecond),
      row('workers', 'cores', predicted.workerMs / 1000),
      row('Redis', 'cores', predicted.redisMs / 1000),
      row('all pods', 'cores', predicted.apiMs / 1000),
      row('to and from Redis', 'MB/s', (predicted.inBytes + predicted.outBytes) / 1e6),
    ];
  });
}
