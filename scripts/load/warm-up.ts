import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WarmUp {
  status: number;
  bytes: number;
  type: string;
  /** Why there is no frame. */
  problem: string;
  tookMs: number;
}

const PATIENCE_MS = 60_000;

/**
 * Sends the first request, which waits for the camera's first frame.
 * @param onWait called when the fleet may not call the camera yet, as after startup
 */
export async function warmUp(url: string, onWait: (problem: string) => void): Promise<WarmUp> {
  const startedMs = performance.now();
  let waited = false;
  for (;;) {
    const response = await fetch(url);
    const body = await response.arrayBuffer();
    const { status, headers } = response;
    const tookMs = performance.now() - startedMs;
    const type = headers.get('content-type') ?? '';
    const problem = response.ok ? '' : detailOf(new TextDecoder().decode(body));
    const result = { status, bytes: body.byteLength, type, problem, tookMs };
    if (status !== 503 || tookMs > PATIENCE_MS) return result;
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
export async function requestsPerProcess(
  url: string,
  requests: number,
): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  for (let index = 0; index < requests; index += 1) {
    const name = await servedBy(url);
    answers.set(name, (answers.get(name) ?? 0) + 1);
  }
  return new Map([...answers].sort());
}

function servedBy(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, method: 'HEAD' }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['x-served-by'] ?? 'unknown')));
    }).on('error', reject);
  });
}
