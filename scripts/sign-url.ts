import { loadEnvFile } from './env-file.ts';
import { signedQuery } from './sign-url/signed-query.ts';

loadEnvFile();
const outcome = signedQuery(process.argv.slice(2), process.env, Date.now());
if (outcome.ok) {
  console.log(outcome.query);
} else {
  console.error(outcome.fault);
  process.exit(1);
}
