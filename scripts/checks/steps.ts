import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Env } from '../env-file.ts';
import { runTool, type ToolEnd } from './run-tool.ts';
import { type Tally, tallyOfVitest, type VitestReport } from './tally.ts';

/** One kind of check. */
export interface Step {
  name: string;
  run: (context: StepContext) => Promise<StepEnd>;
}

export interface StepContext {
  root: string;
  env: Env;
  signal: AbortSignal;
}

interface StepEnd {
  tally: Tally;
  /** To be shown when something failed; empty when it was shown already. */
  output: string;
}

export const steps: readonly Step[] = [
  yesOrNo('typecheck', 'turbo', ['run', 'typecheck', '//#typecheck', '--output-logs=errors-only']),
  yesOrNo('lint', 'biome', ['check', '.']),
  yesOrNo('unused code', 'knip', []),
  { name: 'tests', run: runVitest },
];

/** The environment in which every tool, and every process that a test starts, runs Node 24. */
export function toolEnv(environment: Env, root: string): Env {
  const tools = join(root, 'node_modules', '.bin');
  return {
    ...environment,
    PATH: [tools, environment.PATH].filter(Boolean).join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
  };
}

function yesOrNo(name: string, command: string, args: string[]): Step {
  return {
    name,
    run: async (context) => {
      const { endedWell, output } = await tool(context, command, args, false);
      return { tally: { passed: Number(endedWell), failed: Number(!endedWell) }, output };
    },
  };
}

async function runVitest(context: StepContext): Promise<StepEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-tests-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { endedWell } = await tool(context, 'vitest', ['run', ...reporters], true);
    return { tally: tallyOfVitest(reportIn(file), endedWell), output: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tool(context: StepContext, name: string, args: string[], live: boolean): Promise<ToolEnd> {
  const { root, env, signal } = context;
  const command = join(root, 'node_modules', '.bin', name);
  return runTool({ command, args, env, cwd: root, live, signal });
}

function reportIn(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}
