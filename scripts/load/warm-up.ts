import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 60_000;
const NEW_CONNECTION = { connection: 'close' };

/**
 * Sends the first request, which waits for the camera's first frame.
 * @param onWait called when the fleet may not call the camera yet, as after startup
 * @throws Error when no frame arrives
 */
export async function warmUp(url: string, onWait: (problem: string) => void) {
  const startedMs = performance.now();
  let waited = false;
  for (;;) {
    const response = await fetch(url, { headers: NEW_CONNECTION });
    const body = await response.arrayBuffer();
    const tookMs = performance.now() - startedMs;
    const { status, headers } = response;
    if (status === 200) {
      return { bytes: body.byteLength, type: headers.get('content-type'), tookMs };
    }
    const problem = detailOf(new TextDecoder().decode(body));
    if (status !== 503 || tookMs > PATIENCE_MS) {
      throw new Error(`No frame to load: the api responds with ${status}, ${problem}`);
    }
    if (!waited) onWait(problem);
    waited = true;
    await sleep(1000 * (Number(headers.get('retry-after')) || 1));
  }
}

/** @param text problem details, or any other text */
function detailOf(text: string): string {
  try {
    const { title, detail } = JSON.parse(text) as { title?: string; detail?: string };
    return [title, detail].filter(Boolean).join(': ');
  } catch {
    return text.trim();
  }
}

/** Counts the requests, each on a new connection, that each process responded to. */
export async function requestsPerProcess(url: string, requests: number): Promise<string> {
  const names: string[] = [];
  for (let index = 0; index < requests; index += 1) {
    const { headers } = await fetch(url, { method: 'HEAD', headers: NEW_CONNECTION });
    names.push(headers.get('x-served-by') ?? 'unknown');
  }
  const byName = Map.groupBy(names.sort(), (name) => name);
  return [...byName].map(([name, { length }]) => `${name} (${length})`).join(', ');
}
