/** Gets an image through the api, as a viewer does; `helm test` runs it. */
const [url = ''] = process.argv.slice(2);
const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((error: Error) =>
  fail(`${url}: ${error.message}`),
);
const type = answer.headers.get('content-type') ?? 'no type';
const bytes = (await answer.arrayBuffer()).byteLength;
if (!answer.ok || !type.startsWith('image/')) fail(`${url}: ${answer.status}, ${type}`);
console.log(`${url}: ${answer.status}, ${type}, ${bytes} bytes`);

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
