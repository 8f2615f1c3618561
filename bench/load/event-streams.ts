import { type ClientRequest, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Open streams of `/events` that watch cameras. Their events are read but not parsed. */
export interface EventStreams {
  /** Streams that were rejected or cut off. */
  readonly lost: number;
  close(): void;
}

/** The most that a stream may watch. */
const CAMERAS_PER_STREAM = 64;

/** Watches every camera at one of the api processes, each stream at another than the one before. */
export async function openEventStreams(
  apis: readonly { url: string }[],
  cameras: readonly string[],
  rampMs: number,
): Promise<EventStreams> {
  const count = Math.ceil(cameras.length / CAMERAS_PER_STREAM);
  const requests: ClientRequest[] = [];
  let lost = 0;
  let isClosing = false;
  for (let n = 0; n < count; n += 1) {
    const watched = cameras.slice(n * CAMERAS_PER_STREAM, (n + 1) * CAMERAS_PER_STREAM);
    const query = watched.map((camera) => `url=${encodeURIComponent(camera)}`).join('&');
    const request = get(`${apis[n % apis.length]?.url}/events?${query}`, { agent: false });
    request.on('response', (response) => response.on('error', () => {}).resume());
    request.on('error', () => {});
    request.on('close', () => {
      if (!isClosing) lost += 1;
    });
    requests.push(request);
    await sleep(rampMs / count);
  }
  return {
    get lost() {
      return lost;
    },
    close: () => {
      isClosing = true;
      for (const request of requests) request.destroy();
    },
  };
}
