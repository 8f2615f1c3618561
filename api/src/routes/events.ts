import type { Context } from 'hono';
import type { CameraNews } from '../streams/camera-feed.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import { readTargets, type Target } from '../streams/stream-targets.ts';
import { signingOf } from './images.ts';
import { eventsQuery, readLists } from './query-schemas.ts';
import { encodeEvent, encodeNews, encodeRetry, HEARTBEAT } from './sse.ts';

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
  const pending = new Map<Target, CameraNews>();
  const told = new Set<Target>();
  let words: Uint8Array[] = [encodeRetry(RETRY_MS)];
  let isBeatDue = false;
  return {
    tell: (target, _camera, news) => {
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
    beat: () => {
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
    lastWords: () => {
      const { least, most } = COME_BACK_MS;
      return encodeRetry(least + deps.random() * (most - least));
    },
  };
}

/** Who has not been told of a frame yet is told of it with what came after. */
function merge(before: CameraNews | undefined, news: CameraNews): CameraNews {
  return before?.kind === 'frame' && news.kind !== 'frame' ? { ...news, kind: 'frame' } : news;
}

/** The viewer had this frame before his connection broke. */
function withoutFrame(news: CameraNews): CameraNews {
  return news.kind === 'frame' ? { ...news, kind: 'unchanged' } : news;
}
