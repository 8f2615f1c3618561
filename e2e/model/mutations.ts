import { readFileSync } from 'node:fs';
import type { Mutation } from './sim-worker.ts';

const scripts = ['identity', 'take', 'finish']
  .map((name) => readFileSync(new URL(`../../worker/src/permit/${name}.lua`, import.meta.url), 'utf8'))
  .join('\n');

/** Each takes one wall of the guarantee out. A mutation that changes nothing is an error. */
export const mutations: Record<string, Mutation> = {
  'the permit': {
    permits: (permits) => ({
      ...permits,
      take: async (camera) => ({
        outcome: 'granted',
        permit: { token: 'none', camera, elapsedMs: () => 0 },
      }),
    }),
  },
  'the start check': {
    permits: (permits) => ({
      ...permits,
      take: async (camera) => {
        const taken = await permits.take(camera);
        if (taken.outcome === 'granted') taken.permit.elapsedMs = () => 0;
        return taken;
      },
    }),
  },
  'the hold-off': replacing("if hold > 0 then return { 'hold', hold, now } end", ''),
  'the hold-off as long as a permit lives': replacing(
    'since + life + (replicated and tonumber(ARGV[3]) or 0)',
    'since + 1500',
  ),
  'the replication id in the identity': replacing(
    "local id = run .. '-' .. line",
    'local id = run',
  ),
  'the replica lag': replacing('(replicated and tonumber(ARGV[3]) or 0)', '0'),
  'the clock watch': { watch: (watch) => ({ ...watch, accept: () => true }) },
  'the token compare': replacing("value:match('^%S+') ~= ARGV[1]", 'false'),
};

function replacing(wall: string, hole: string): Mutation {
  if (!scripts.includes(wall)) throw new Error(`no script has the wall ${wall}`);
  return { script: (source) => source.replace(wall, hole) };
}

/** Where the search for a breach begins: seeds that find it within some dozen schedules. */
export const seeds: Record<string, number> = {
  'the permit': 1,
  'the start check': 8,
  'the hold-off': 1,
  'the hold-off as long as a permit lives': 1,
  'the replication id in the identity': 7,
  'the replica lag': 6,
  'the clock watch': 3,
  'the token compare': 5,
};
