import { readFileSync } from 'node:fs';
import type { Mutation } from './sim-worker.ts';

const scripts = ['identity', 'take', 'finish']
  .map((name) =>
    readFileSync(new URL(`../../worker/src/permit/${name}.lua`, import.meta.url), 'utf8'),
  )
  .join('\n');

/**
 * Each removes one safeguard of the guarantee, or lets a worker blame a good camera. A mutation that
 * changes nothing is an error. Its seed finds the breach within a few dozen schedules.
 */
export const mutations: Record<string, Mutation & { seed: number }> = {
  'the permit': {
    seed: 1,
    permits: (permits) => ({
      ...permits,
      take: async (camera) => ({
        outcome: 'granted',
        permit: { token: 'none', camera, elapsedMs: () => 0 },
      }),
    }),
  },
  'the start check': {
    seed: 8,
    permits: (permits) => ({
      ...permits,
      take: async (camera) => {
        const result = await permits.take(camera);
        if (result.outcome === 'granted') result.permit.elapsedMs = () => 0;
        return result;
      },
    }),
  },
  'the hold-off': replaceInScript(1, "if hold > 0 then return { 'hold', hold, now } end", ''),
  'the hold-off as long as a permit lives': replaceInScript(
    1,
    'since + life + (replicated and tonumber(ARGV[3]) or 0)',
    'since + 1500',
  ),
  'the replication id in the identity': replaceInScript(
    7,
    "local id = run .. '-' .. line",
    'local id = run',
  ),
  'the replica lag': replaceInScript(6, '(replicated and tonumber(ARGV[3]) or 0)', '0'),
  'the clock watch': { seed: 3, monitor: (watch) => ({ ...watch, accept: () => true }) },
  'a verdict of its own for lateness': {
    seed: 1,
    permits: (permits) => ({
      ...permits,
      finish: (permit, end) =>
        permits.finish(permit, end.verdict === 'late' ? { ...end, verdict: 'fail' } : end),
    }),
  },
  'the token compare': replaceInScript(5, "value:match('^%S+') ~= ARGV[1]", 'false'),
};

function replaceInScript(seed: number, safeguard: string, replacement: string) {
  if (!scripts.includes(safeguard))
    throw new Error(`no script contains the safeguard ${safeguard}`);
  return { seed, script: (source: string) => source.replace(safeguard, replacement) };
}
