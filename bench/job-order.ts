import { type BenchContext, type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { type JobCost, measureJobs, type QueueOrder } from './load/queued-jobs.ts';

const FIFO = 'one FIFO';
const ORDERS: Readonly<Record<string, QueueOrder>> = {
  [FIFO]: { queues: 1 },
  priorities: { queues: 1, priorities: { refresh: 1, first: 2 } },
  'two queues': { queues: 2 },
};
const CASES = [
  { of: 'no backlog', backlog: 0 },
  { of: '5,000 waiting', backlog: 5000 },
];
const ROUNDS = 3;
const JOBS = 8000;
const QUICK_JOBS = 500;
const PER_SECOND = 1000;

/** By the name of the order. */
type Round = Record<string, JobCost>;

export const jobOrder: Figure = {
  name: 'job-order',
  title: 'What an order of jobs inside BullMQ would cost',
  how: 'Plain BullMQ with the options of the queue and the worker, without api and camera: 1,000 jobs a second are added, and workers complete one for each. Half are refreshes, half first calls. *one FIFO* is the queue as it is; *priorities* gives refreshes priority 1 and first calls 2; *two queues* has one queue and one worker for each kind. With a backlog, 5,000 older jobs stay in the queue. *client* is the process that adds the jobs, takes them and completes them. Commands include those within scripts. The orders are measured in turn, in rotating order, after a warm-up; ratios are taken within the round.',
  measure: (context) =>
    measureCases(CASES, context, async ({ of, backlog }) => {
      const rounds = await measureRounds(of, backlog, context);
      const row = rowsOf(of);
      return Object.keys(ORDERS).flatMap((name) => {
        const each = (key: keyof JobCost) => rounds.map((round) => round[name]?.[key] ?? 0);
        const ratios = rounds.map((round) => totalUs(round[name]) / totalUs(round[FIFO]));
        return [
          row(`${name}, CPU ÷ ${FIFO}`, '×', ratios),
          row(`${name}, CPU, Redis`, 'µs', each('redisUs')),
          row(`${name}, CPU, client`, 'µs', each('clientUs')),
          row(`${name}, scripts`, '', each('scripts')),
          row(`${name}, commands`, '', each('commands')),
        ];
      });
    }),
};

/** A quick run has a single, short round. */
async function measureRounds(
  of: string,
  backlog: number,
  { quick, showProgress }: BenchContext,
): Promise<Round[]> {
  const names = Object.keys(ORDERS);
  const lastRound = quick ? 1 : ROUNDS;
  const rounds: Round[] = [];
  for (let round = quick ? 1 : 0; round <= lastRound; round += 1) {
    const isWarmUp = round === 0;
    const load = { jobs: quick || isWarmUp ? QUICK_JOBS : JOBS, perSecond: PER_SECOND, backlog };
    const result: Round = {};
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] ?? '';
      showProgress(`${of}: round ${round} of ${lastRound}, ${name}`);
      const order = ORDERS[name];
      if (order) result[name] = await measureJobs(order, load);
    }
    if (!isWarmUp) rounds.push(result);
  }
  return rounds;
}

function totalUs(cost: JobCost | undefined): number {
  return cost ? cost.redisUs + cost.clientUs : Number.NaN;
}
