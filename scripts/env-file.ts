import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

export type Env = Readonly<Record<string, string | undefined>>;

/** Adds the variables of `.env` to the environment, which wins for variables in both. */
export function mergeEnv(fileText: string, environment: Env): Env {
  return { ...parseEnv(fileText), ...environment };
}

/** @param path of a file of KEY=VALUE lines; it need not exist */
export function readEnvWith(path: string, environment: Env): Env {
  return mergeEnv(textOf(path), environment);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
