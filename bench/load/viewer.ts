import { Agent, get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface ViewerResponse {
  status: number;
  etag: string;
  body: Buffer;
  tookMs: number;
}

/** Viewers of one api process, on keep-alive connections. */
export interface Viewer {
  request(camera: string): Promise<ViewerResponse>;
  close(): void;
}

export function openViewer(apiUrl: string): Viewer {
  const agent = new Agent({ keepAlive: true });
  const request = async (camera: string) => {
    const startedMs = performance.now();
    const url = `${apiUrl}/images?url=${encodeURIComponent(camera)}`;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent }, resolve).on('error', reject);
    });
    const body = await buffer(answer);
    const { statusCode: status = 0, headers } = answer;
    return { status, etag: headers.etag ?? '', body, tookMs: performance.now() - startedMs };
  };
  return { request, close: () => agent.destroy() };
}
