import { setTimeout as sleep } from 'node:timers/promises';

/** A fleet calls no camera in its first 30 seconds with a new Redis. */
const PATIENCE_MS = 90_000;

/** Gets an image or the OpenAPI document from the api, as a viewer does; `helm test` runs it. */
const [url = ''] = process.argv.slice(2);
const endMs = Date.now() + PATIENCE_MS;
let answer = await ask();
while (answer.status === 503 && Date.now() < endMs) {
  const retryAfterS = Number(answer.headers.get('retry-after') ?? 1);
  console.log(`${url}: not yet, ${await answer.text()}`);
  await sleep(Math.min(retryAfterS * 1000, PATIENCE_MS));
  answer = await ask();
}
const type = answer.headers.get('content-type') ?? 'no type';
const bytes = (await answer.arrayBuffer()).byteLength;
const expected = url.endsWith('/openapi.json') ? 'application/json' : 'image/';
if (!answer.ok || !type.startsWith(expected)) fail(`${url}: ${answer.status}, ${type}`);
console.log(`${url}: ${answer.status}, ${type}, ${bytes} bytes`);

async function ask(): Promise<Response> {
  return await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((error: Error) =>
    fail(`${url}: ${error.message}`),
  );
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
