import { describeState } from '../camera-status/camera-status.ts';
import type { CameraNews } from '../streams/camera-feed.ts';
import type { Label } from '../streams/stream-targets.ts';

/** A comment, which viewers ignore. */
export const HEARTBEAT = Buffer.from(': still here\n\n');

/** After how long a viewer whose connection has ended comes back. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${Math.round(retryMs)}\n\n`);
}

const encoded = new WeakMap<CameraNews, Map<string, Buffer>>();

/** One event: the same bytes for all viewers who call the camera the same. */
export function encodeNews(news: CameraNews, label: Label): Buffer {
  const ofNews = encoded.get(news) ?? new Map<string, Buffer>();
  encoded.set(news, ofNews);
  const key = 'camera' in label ? `c${label.camera}` : `u${label.url}`;
  const known = ofNews.get(key);
  if (known) return known;
  const { kind, state, nowMs } = news;
  const id = state.frame && `id: ${state.frame.etag}\n`;
  const event = encodeEvent(kind, { ...label, ...describeState(state, nowMs) }, id);
  ofNews.set(key, event);
  return event;
}

/** @param id a whole line */
export function encodeEvent(kind: string, data: object, id = ''): Buffer {
  return Buffer.from(`event: ${kind}\n${id}data: ${JSON.stringify(data)}\n\n`);
}
