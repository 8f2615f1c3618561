import { join, resolve } from 'node:path';
import { readEnvWith } from './env-file.ts';
import { signedQuery } from './sign-url/signed-query.ts';

const root = resolve(import.meta.dirname, '..');
const env = readEnvWith(join(root, '.env'), process.env);
const outcome = signedQuery(process.argv.slice(2), env, Date.now());
if (outcome.ok) {
  console.log(outcome.query);
} else {
  console.error(outcome.fault);
  process.exit(1);
}
