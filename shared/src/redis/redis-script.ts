import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisArgument } from 'redis';

export interface RedisScript {
  sha: string;
  source: string;
}

interface ScriptRunner {
  evalSha(sha: string, options: ScriptInput): Promise<unknown>;
  eval(source: string, options: ScriptInput): Promise<unknown>;
}

interface ScriptInput {
  keys: RedisArgument[];
  arguments: RedisArgument[];
}

/** Reads a Lua script; several files are joined into one. */
export function loadScript(...files: URL[]): RedisScript {
  const source = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** Runs a script by its hash; sends its source if Redis does not know it (restarted, flushed). */
export async function runScript(
  client: ScriptRunner,
  script: RedisScript,
  keys: RedisArgument[],
  args: RedisArgument[],
): Promise<unknown> {
  const input = { keys, arguments: args };
  try {
    return await client.evalSha(script.sha, input);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await client.eval(script.source, input);
  }
}
