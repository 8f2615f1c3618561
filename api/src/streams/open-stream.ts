import type { RulesNow } from '@lastframe/shared/cameras/rules';
import type { Network } from '@lastframe/shared/cameras/source';
import { takeConnection } from '@lastframe/shared/http/open-answers';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import type { Context } from 'hono';
import { clientOf } from '../access/client-address.ts';
import type { NewCameraLimit } from '../access/new-camera-limit.ts';
import type { SigningDeps } from '../access/signed-url.ts';
import type { CameraFeed } from './camera-feed.ts';
import { createPushBody } from './latest-only-body.ts';
import type { OpenStreams } from './open-streams.ts';
import { type SubscriptionDeps, subscribeToTargets } from './stream-subscriptions.ts';
import type { Target } from './stream-targets.ts';

export interface StreamsDeps extends SigningDeps {
  clock: Clock;
  /** Those in force at each request. */
  rules: RulesNow;
  /** Not set: no bound. */
  coldLimit?: NewCameraLimit;
  trustedProxies?: readonly Network[];
  live: CameraFeed;
  streams: OpenStreams;
  framesClock: Pick<FramesClock, 'nowMs'>;
  random: () => number;
}

/** What one viewer of a stream is sent: it keeps the latest only, until he can take it. */
export interface StreamViewer {
  send: SubscriptionDeps['send'];
  dropped(target: Target, problem: Problem): void;
  /** All that is to be sent now; nothing when there is nothing new. */
  take(): Uint8Array[];
  /** It is time for a sign of life. */
  sendHeartbeat(): void;
  /** Before the end. */
  finalBytes(): Uint8Array | undefined;
}

/**
 * Answers 200 at once, whether there are frames or not, and goes on until the viewer leaves, may see
 * none of the cameras any more, or this process closes.
 * @throws ProblemError 400 when it isn't alone on its connection, 403 or 404 for a camera, 503 when too many streams are open
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
  for (const { find } of targets) find(deps.rules());
  const headers = { ...STREAM_HEADERS, 'Content-Type': contentType };
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  if (!takeConnection(c.env ?? {})) throw notAlone();
  const client = clientOf(c, deps.trustedProxies);
  const urls = targets.filter(({ label }) => 'url' in label).length;
  const full = deps.streams.fullFor(client, urls);
  if (full) throw tooMany(full);
  const viewer = viewerFor(() => body.wake());
  const body = createPushBody(viewer.take, () => {
    watches.leaveAll();
    remove();
  });
  const watches = subscribeToTargets(targets, {
    clock: deps.clock,
    live: deps.live,
    rules: deps.rules(),
    waitMs: (cameraId) => deps.coldLimit?.waitMs(client, cameraId) ?? 0,
    send: (...news) => {
      viewer.send(...news);
      body.wake();
    },
    dropped: (target, problem, left) => {
      viewer.dropped(target, problem);
      if (left === 0) body.end();
      else body.wake();
    },
  });
  const stream = {
    sendHeartbeat: () => {
      viewer.sendHeartbeat();
      body.wake();
    },
    poll: watches.dropExpired,
    applyRules: watches.applyRules,
    end: () => body.end(viewer.finalBytes()),
  };
  const remove = deps.streams.add(stream, client, urls);
  return new Response(body.stream, { headers });
}

const STREAM_HEADERS = {
  'Cache-Control': 'no-store',
  // Who comes back when this process closes must not do so on the same connection.
  Connection: 'close',
  // Else nginx collects what it passes on.
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

function tooMany(full: 'all' | 'client'): ProblemError {
  const where = full === 'all' ? 'here' : 'from your address';
  const detail = `too many streams are open ${where}, or they show too many cameras; close some, or try again later`;
  return new ProblemError({ status: 503, code: 'too-many-streams', detail, retryAfterMs: 2000 });
}

function notAlone(): ProblemError {
  const detail = 'a stream needs its connection for itself; ask for nothing else on it';
  return new ProblemError({ status: 400, code: 'pipelined-stream', detail });
}
