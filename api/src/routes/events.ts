import type { Context } from 'hono';
import { signingOf } from '../access/signed-url.ts';
import { describeState } from '../camera-status/camera-status.ts';
import type { CameraUpdate } from '../streams/camera-feed.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import type { Label } from '../streams/stream-targets.ts';
import { readTargets, type Target } from '../streams/stream-targets.ts';
import { eventsQuery, readLists } from './query-schemas.ts';

const RETRY_MS = 2000;
/** A crowd whose process ends must not come back all at once. */
const COME_BACK_MS = { least: 500, most: 3000 };

/** `GET, HEAD /events?url=…&camera=…`: what is new of any number of cameras, as Server-Sent Events. */
export function getEvents(c: Context, deps: StreamsDeps): Response {
  const targets = readTargets(readLists(c, eventsQuery), signingOf(deps));
  const lastEventId = c.req.header('last-event-id');
  const viewerFor = () => eventsViewer(lastEventId, deps);
  return openStream(c, targets, { contentType: 'text/event-stream', viewerFor }, deps);
}

function eventsViewer(lastEventId: string | undefined, deps: StreamsDeps): StreamViewer {
  /** The latest of each camera. */
  const pending = new Map<Target, CameraUpdate>();
  const told = new Set<Target>();
  let words: Uint8Array[] = [encodeRetry(RETRY_MS)];
  let isBeatDue = false;
  return {
    send: (target, _camera, news) => {
      const isSeen = !told.has(target) && news.state.frame?.etag === lastEventId;
      told.add(target);
      pending.set(target, merge(pending.get(target), isSeen ? withoutFrame(news) : news));
    },
    dropped: (target, { detail: reason }) => {
      pending.delete(target);
      const healthSince = new Date(deps.framesClock.nowMs()).toISOString();
      const data = { ...target.label, health: 'failing', healthSince, reason };
      words.push(encodeEvent('failure', data));
    },
    sendHeartbeat: () => {
      isBeatDue = true;
    },
    take: () => {
      const events = [...pending].map(([{ label }, news]) => encodeNews(news, label));
      const chunks = [...words, ...events];
      if (chunks.length === 0 && isBeatDue) chunks.push(HEARTBEAT);
      pending.clear();
      words = [];
      isBeatDue = false;
      return chunks.length > 1 ? [Buffer.concat(chunks)] : chunks;
    },
    finalBytes: () => {
      const { least, most } = COME_BACK_MS;
      return encodeRetry(least + deps.random() * (most - least));
    },
  };
}

/** Who has not been told of a frame yet is told of it with what came after. */
function merge(before: CameraUpdate | undefined, news: CameraUpdate): CameraUpdate {
  return before?.kind === 'frame' && news.kind !== 'frame' ? { ...news, kind: 'frame' } : news;
}

/** The viewer had this frame before his connection broke. */
function withoutFrame(news: CameraUpdate): CameraUpdate {
  return news.kind === 'frame' ? { ...news, kind: 'unchanged' } : news;
}

/** A comment, which viewers ignore. */
export const HEARTBEAT = Buffer.from(': still here\n\n');

/** After how long a viewer whose connection has ended comes back. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${Math.round(retryMs)}\n\n`);
}

const encoded = new WeakMap<CameraUpdate, Map<string, Buffer>>();

/** One event: the same bytes for all viewers who call the camera the same. */
export function encodeNews(news: CameraUpdate, label: Label): Buffer {
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
