import { availableParallelism } from 'node:os';
import { loadEnvFile } from './env-file.ts';
import { latencyText, reportLines } from './load/report.ts';
import { runLoad } from './load/run-load.ts';
import { readLoadSettings } from './load/settings.ts';
import { fetchCalls, summarizeCalls } from './load/slow-api-calls.ts';
import { requestsPerProcess, warmUp } from './load/warm-up.ts';

const SAMPLED_CONNECTIONS = 60;

loadEnvFile();
await load().catch((error: Error) => {
  console.error(problemOf(error));
  process.exit(1);
});

function problemOf({ message, cause }: Error): string {
  if (!cause) return message;
  const isDown = (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  if (isDown) return 'Nothing is running here: run `make up` in another terminal.';
  return `The running system cannot be reached: ${message}`;
}

async function load(): Promise<void> {
  const { url, cameraUrl, callsUrl, connections, durationMs } = readLoadSettings(process.env);
  await introduce(url);
  console.log(
    `${connections} connections for ${durationMs / 1000} s on ${url}; ` +
      `client and servers share ${availableParallelism()} cores`,
  );
  const before = await fetchCalls(callsUrl);
  const result = await runLoad(url, connections, durationMs);
  const calls = summarizeCalls(await fetchCalls(callsUrl), cameraUrl, before.at(-1)?.number ?? 0);
  console.log(`\n${reportLines(result, calls).join('\n')}`);
  if (!result.statuses.has(200)) process.exit(1);
}

async function introduce(url: string): Promise<void> {
  const onWait = (problem: string) => console.log(`Waiting for the first frame (${problem}) …`);
  const { bytes, type, tookMs } = await warmUp(url, onWait);
  console.log(`Frame: ${bytes.toLocaleString('en')} bytes, ${type}, after ${latencyText(tookMs)}`);
  const processes = await requestsPerProcess(url, SAMPLED_CONNECTIONS);
  console.log(`Processes that served ${SAMPLED_CONNECTIONS} new connections: ${processes}`);
}
