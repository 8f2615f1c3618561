import { Agent, get } from 'node:http';

export interface ViewerResponse {
  status: number;
  etag: string;
  tookMs: number;
}

/** A viewer of one camera on one process, over one keep-alive connection. */
export interface Viewer {
  /** @param etag of the frame that the viewer already has */
  request(etag?: string): Promise<ViewerResponse>;
  close(): void;
}

export function openViewer(apiUrl: string, camera: string): Viewer {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const url = `${apiUrl}/images?url=${encodeURIComponent(camera)}`;
  return {
    request: (etag) =>
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
    close: () => agent.destroy(),
  };
}

/** Returns the value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
