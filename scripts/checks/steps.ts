import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Env } from '../env-file.ts';
import { runTool, type ToolResult } from './run-tool.ts';
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
  /** Shown when the step failed; empty if it was shown already. */
  output: string;
}

export const steps: readonly Step[] = [
  toolStep('typecheck', 'turbo', ['run', 'typecheck', '//#typecheck', '--output-logs=errors-only']),
  toolStep('lint', 'biome', ['check', '.']),
  toolStep('unused code', 'knip', []),
  { name: 'tests', run: runVitest },
];

/** Returns an environment in which all tools, and processes that tests start, use Node 24. */
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

function toolStep(name: string, command: string, args: string[]): Step {
  return {
    name,
    run: async (context) => {
      const { succeeded, output } = await tool(context, command, args, false);
      return { tally: { passed: Number(succeeded), failed: Number(!succeeded) }, output };
    },
  };
}

async function runVitest(context: StepContext): Promise<StepEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-tests-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { succeeded } = await tool(context, 'vitest', ['run', ...reporters], true);
    return { tally: tallyOfVitest(readReport(file), succeeded), output: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tool(
  context: StepContext,
  name: string,
  args: string[],
  live: boolean,
): Promise<ToolResult> {
  const { root, env, signal } = context;
  const command = join(root, 'node_modules', '.bin', name);
  return runTool({ command, args, env, cwd: root, live, signal });
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}
