import type { RulesNow } from '@lastframe/shared/cameras/rules';
import type { Network } from '@lastframe/shared/cameras/source';
import { takeConnection } from '@lastframe/shared/http/open-responses';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import type { Context } from 'hono';
import type { NoticeCacheBuster } from '../access/cache-buster-notice.ts';
import { clientOf } from '../access/client-address.ts';
import type { NewCameraLimit } from '../access/new-camera-limit.ts';
import { rejectOwnUrl } from '../access/own-url.ts';
import type { SigningDeps } from '../access/signed-url.ts';
import { IMAGE_HEADERS } from '../answer/frame-response.ts';
import type { CameraFeed } from './camera-feed.ts';
import { createLatestOnlyBody } from './latest-only-body.ts';
import type { OpenStreams } from './open-streams.ts';
import { type SubscriptionDeps, subscribeToTargets } from './stream-subscriptions.ts';
import type { Target } from './stream-targets.ts';

export interface StreamsDeps extends SigningDeps {
  clock: Clock;
  /** The rules in force at each request. */
  rules: RulesNow;
  noticeCacheBuster: NoticeCacheBuster;
  newCameraLimit: NewCameraLimit;
  trustedProxies: readonly Network[];
  cameraFeed: CameraFeed;
  streams: OpenStreams;
  framesClock: Pick<FramesClock, 'nowMs'>;
  random: () => number;
}

/** The output for one viewer of a stream; keeps only the latest until they can take it. */
export interface StreamViewer {
  send: SubscriptionDeps['send'];
  onDropped(target: Target, problem: Problem): void;
  /** Returns all chunks to send now; empty when there is nothing new. */
  takeChunks(): Uint8Array[];
  /** Adds a heartbeat to the output. */
  sendHeartbeat(): void;
  /** Returns the bytes to send before the end. */
  finalBytes(): Uint8Array | undefined;
}

/**
 * Responds with 200 at once, with or without frames. The stream ends when the viewer leaves, may no
 * longer see any of its cameras, or this process closes.
 * @throws ProblemError 400 when the connection carries other requests, 403 or 404 for a camera, 503
 * when too many streams are open
 */
export function openStream(
  c: Context,
  targets: readonly Target[],
  {
    contentType,
    viewerFor,
  }: { contentType: string; viewerFor: (wake: () => void) => StreamViewer },
  deps: StreamsDeps,
): Response {
  for (const { find, label } of targets) {
    if ('url' in label) rejectOwnUrl(label.url, c.req.header('host'));
    const camera = find(deps.rules());
    if ('url' in label) deps.noticeCacheBuster(label.url, camera);
  }
  const headers = { ...STREAM_HEADERS, 'Content-Type': contentType };
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  if (!takeConnection(c.env ?? {})) throw notAlone();
  const client = clientOf(c, deps.trustedProxies);
  const urls = targets.filter(({ label }) => 'url' in label).length;
  const full = deps.streams.limitReached(client, urls);
  if (full) throw tooMany(full);
  const viewer = viewerFor(() => body.wake());
  const body = createLatestOnlyBody(viewer.takeChunks, () => {
    subscriptions.leaveAll();
    remove();
  });
  const subscriptions = subscribeToTargets(targets, {
    clock: deps.clock,
    cameraFeed: deps.cameraFeed,
    rules: deps.rules(),
    newCameraWaitMs: (cameraId) => deps.newCameraLimit.tryRequest(client, cameraId),
    send: (...update) => {
      viewer.send(...update);
      body.wake();
    },
    onDropped: (target, problem, left) => {
      viewer.onDropped(target, problem);
      if (left === 0) body.end();
      else body.wake();
    },
  });
  const stream = {
    sendHeartbeat: () => {
      viewer.sendHeartbeat();
      body.wake();
    },
    poll: subscriptions.dropExpired,
    applyRules: subscriptions.applyRules,
    end: () => body.end(viewer.finalBytes()),
  };
  const remove = deps.streams.add(stream, client, urls);
  return new Response(body.stream, { headers });
}

const STREAM_HEADERS = {
  'Cache-Control': 'no-store',
  // When this process closes, viewers must not come back on the same connection.
  Connection: 'close',
  // Keeps nginx from buffering the stream.
  'X-Accel-Buffering': 'no',
  ...IMAGE_HEADERS,
};

function tooMany(full: 'all' | 'client'): ProblemError {
  const where = full === 'all' ? 'here' : 'from your address';
  const detail = `too many open streams ${where}, or too many cameras in them; close some or try again later`;
  return new ProblemError({ status: 503, code: 'too-many-streams', detail, retryAfterMs: 2000 });
}

function notAlone(): ProblemError {
  const detail = 'a stream needs a connection of its own; send no other request on it';
  return new ProblemError({ status: 400, code: 'pipelined-stream', detail });
}
