import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Adds the variables of `.env`, if it exists, to the environment, which wins for those in both. */
export function loadEnvFile(path = join(import.meta.dirname, '../.env')): void {
  if (existsSync(path)) process.loadEnvFile(path);
}
