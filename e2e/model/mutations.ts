import { readFileSync } from 'node:fs';
import type { Mutation } from './sim-worker.ts';

const scripts = ['identity', 'take', 'finish']
  .map((name) =>
    readFileSync(new URL(`../../worker/src/permit/${name}.lua`, import.meta.url), 'utf8'),
  )
  .join('\n');

/** Each removes one safeguard of the guarantee. A mutation that changes nothing is an error. */
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
        const result = await permits.take(camera);
        if (result.outcome === 'granted') result.permit.elapsedMs = () => 0;
        return result;
      },
    }),
  },
  'the hold-off': replaceInScript("if hold > 0 then return { 'hold', hold, now } end", ''),
  'the hold-off as long as a permit lives': replaceInScript(
    'since + life + (replicated and tonumber(ARGV[3]) or 0)',
    'since + 1500',
  ),
  'the replication id in the identity': replaceInScript(
    "local id = run .. '-' .. line",
    'local id = run',
  ),
  'the replica lag': replaceInScript('(replicated and tonumber(ARGV[3]) or 0)', '0'),
  'the clock watch': { monitor: (watch) => ({ ...watch, accept: () => true }) },
  'the token compare': replaceInScript("value:match('^%S+') ~= ARGV[1]", 'false'),
};

function replaceInScript(safeguard: string, replacement: string): Mutation {
  if (!scripts.includes(safeguard))
    throw new Error(`no script contains the safeguard ${safeguard}`);
  return { script: (source) => source.replace(safeguard, replacement) };
}

/** Seeds that find each breach within a few dozen schedules. */
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
