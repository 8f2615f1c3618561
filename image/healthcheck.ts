import { readFileSync } from 'node:fs';
import { healthUrl } from './health-url.ts';

/** A container's first process runs its command. */
const [pid = '1'] = process.argv.slice(2);
const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
const url = healthUrl(command, process.env);
if (!url) fail(`process ${pid} is not a Lastframe process`);
const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch((error: Error) =>
  fail(`${url}: ${error.message}`),
);
if (!answer.ok) fail(`${url}: ${answer.status} ${await answer.text()}`);

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
