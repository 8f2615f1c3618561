import { Agent, get } from 'node:http';

export interface Seen {
  status: number;
  etag: string;
  tookMs: number;
}

/** Somebody who looks at one camera on one process, over one kept connection. */
export interface Viewer {
  /** @param etag of the frame that he has already */
  look(etag?: string): Promise<Seen>;
  leave(): void;
}

export function openViewer(apiUrl: string, camera: string): Viewer {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const url = `${apiUrl}/images?url=${encodeURIComponent(camera)}`;
  return {
    look: (etag) =>
      new Promise((resolve, reject) => {
        const startedMs = performance.now();
        const headers = etag === undefined ? {} : { 'If-None-Match': etag };
        get(url, { agent, headers }, (answer) => {
          answer.resume();
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              etag: answer.headers.etag ?? '',
              tookMs: performance.now() - startedMs,
            }),
          );
        }).on('error', reject);
      }),
    leave: () => agent.destroy(),
  };
}

/** The value below which this share of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
