import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { readEnvWith } from './env-file.ts';
import { runLoad } from './load/fire.ts';
import { latencyText, reportLines } from './load/report.ts';
import { type LoadSettings, readLoadSettings } from './load/settings.ts';
import { fetchCalls, summarizeCalls } from './load/slow-api-calls.ts';
import { requestsPerProcess, warmUp } from './load/warm-up.ts';

const SAMPLED_CONNECTIONS = 60;

const root = resolve(import.meta.dirname, '..');
const outcome = readLoadSettings(readEnvWith(join(root, '.env'), process.env));
if (!outcome.ok) fail(outcome.faults.join('\n'));
const { settings } = outcome;

await introduce(settings);
const before = await fetchCalls(settings.callsUrl).catch(failUnreachable);
const shots = await runLoad(settings.url, settings.connections, settings.durationMs);
const after = await fetchCalls(settings.callsUrl);
const calls = summarizeCalls(after, settings.cameraUrl, before.at(-1)?.number ?? 0);
console.log(`\n${reportLines(shots, calls).join('\n')}`);
if ((shots.statuses.get(200) ?? 0) === 0) process.exit(1);

async function introduce({ url, connections, durationMs }: LoadSettings): Promise<void> {
  const onWait = (problem: string) => console.log(`Waiting for the first frame (${problem}) …`);
  const { status, bytes, type, problem, tookMs } = await warmUp(url, onWait).catch(failUnreachable);
  if (status !== 200) fail(`No frame to load: the api responds with ${status}, ${problem}`);
  const size = `${bytes.toLocaleString('en')} bytes, ${type}`;
  console.log(`Frame: ${size}, after ${latencyText(tookMs)}`);
  const answers = await requestsPerProcess(url, SAMPLED_CONNECTIONS);
  const names = [...answers].map(([name, count]) => `${name} (${count})`).join(', ');
  console.log(`Processes that served ${SAMPLED_CONNECTIONS} new connections: ${names}`);
  console.log(
    `${connections} connections for ${durationMs / 1000} s on ${url}; ` +
      `client and servers share ${availableParallelism()} cores`,
  );
}

function failUnreachable(error: Error): never {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ECONNREFUSED') fail('Nothing is running here: run `make up` in another terminal.');
  fail(`The running system cannot be reached: ${error.message}`);
}

function fail(text: string): never {
  console.error(text);
  process.exit(1);
}
