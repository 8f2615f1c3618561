import type { Context } from 'hono';
import { signatureContext } from '../access/signed-url.ts';
import { describeState } from '../camera-status/camera-status.ts';
import type { CameraUpdate } from '../streams/camera-feed.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import type { Label } from '../streams/stream-targets.ts';
import { readTargets, type Target } from '../streams/stream-targets.ts';
import { eventsQuery, isCameraIn, readLists } from './query-schemas.ts';

const RETRY_MS = 2000;
/** Spreads the reconnects when a process closes. */
const RECONNECT_MS = { least: 500, most: 3000 };

/** `GET, HEAD /events?url=…&camera=…`: updates of any number of cameras, as Server-Sent Events. */
export function getEvents(c: Context, deps: StreamsDeps): Response {
  const targets = readTargets(
    readLists(c, eventsQuery, isCameraIn(deps.rules)),
    signatureContext(deps),
  );
  const lastEventId = c.req.header('last-event-id');
  const viewerFor = () => eventsViewer(lastEventId, deps);
  return openStream(c, targets, { contentType: 'text/event-stream', viewerFor }, deps);
}

function eventsViewer(lastEventId: string | undefined, deps: StreamsDeps): StreamViewer {
  /** The latest update of each camera. */
  const pending = new Map<Target, CameraUpdate>();
  const seenTargets = new Set<Target>();
  let chunksToSend: Uint8Array[] = [encodeRetry(RETRY_MS)];
  let isHeartbeatDue = false;
  return {
    send: (target, _camera, update) => {
      const isSeen = !seenTargets.has(target) && update.state.frame?.etag === lastEventId;
      seenTargets.add(target);
      pending.set(target, merge(pending.get(target), isSeen ? withoutFrame(update) : update));
    },
    onDropped: (target, { detail: reason }) => {
      pending.delete(target);
      const healthSince = new Date(deps.framesClock.nowMs()).toISOString();
      const data = { ...target.label, health: 'failing', healthSince, reason };
      chunksToSend.push(encodeEvent('failure', data));
    },
    sendHeartbeat: () => {
      isHeartbeatDue = true;
    },
    takeChunks: () => {
      const events = [...pending].map(([{ label }, update]) => encodeUpdate(update, label));
      const chunks = [...chunksToSend, ...events];
      if (chunks.length === 0 && isHeartbeatDue) chunks.push(HEARTBEAT);
      pending.clear();
      chunksToSend = [];
      isHeartbeatDue = false;
      return chunks.length > 1 ? [Buffer.concat(chunks)] : chunks;
    },
    finalBytes: () => {
      const { least, most } = RECONNECT_MS;
      return encodeRetry(least + deps.random() * (most - least));
    },
  };
}

/** Keeps a pending frame event, with the state of the later update. */
function merge(before: CameraUpdate | undefined, next: CameraUpdate): CameraUpdate {
  return before?.kind === 'frame' && next.kind !== 'frame' ? { ...next, kind: 'frame' } : next;
}

/** Drops a frame that the viewer had before their connection broke. */
function withoutFrame(update: CameraUpdate): CameraUpdate {
  return update.kind === 'frame' ? { ...update, kind: 'unchanged' } : update;
}

/** A comment, which clients ignore. */
export const HEARTBEAT = Buffer.from(': still here\n\n');

/** Sets how long a client waits before it reconnects. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${Math.round(retryMs)}\n\n`);
}

const encodedUpdates = new WeakMap<CameraUpdate, Map<string, Buffer>>();

/** Encodes one event, with the same bytes for all viewers that use the same label. */
export function encodeUpdate(update: CameraUpdate, label: Label): Buffer {
  const byLabel = encodedUpdates.get(update) ?? new Map<string, Buffer>();
  encodedUpdates.set(update, byLabel);
  const key = 'camera' in label ? `c${label.camera}` : `u${label.url}`;
  const cached = byLabel.get(key);
  if (cached) return cached;
  const { kind, state, nowMs } = update;
  const id = state.frame && `id: ${state.frame.etag}\n`;
  const event = encodeEvent(kind, { ...label, ...describeState(state, nowMs) }, id);
  byLabel.set(key, event);
  return event;
}

/** @param id a whole line */
export function encodeEvent(kind: string, data: object, id = ''): Buffer {
  return Buffer.from(`event: ${kind}\n${id}data: ${JSON.stringify(data)}\n\n`);
}
