import { z } from 'zod';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-link.ts';
import {
  cameraIdText,
  durationMs,
  etagText,
  reasonText,
  timeMs,
  traceparent,
} from '../redis/redis-values.ts';

/** Versions every payload, message and stored frame; readers ignore fields they don't know. */
export const VERSION = 1;

const base = {
  v: z.number(),
  cameraId: cameraIdText,
  /** By the queue Redis's clock as the sender knows it; only for measuring, nobody waits by it. */
  sentAtMs: timeMs.optional(),
  /** The traceparent of the step that announces it, where tracing is on. */
  trace: traceparent.optional(),
};

/**
 * `error` is an error type of RFC 9209, `receivedStatus` what the camera answered. Both are extras:
 * an odd value is left out, and doesn't make the failure itself unreadable.
 */
const failureCause = {
  status: z.union([z.literal(403), z.literal(502), z.literal(504)]),
  reason: reasonText,
  error: z
    .string()
    .regex(/^[a-z_]{1,64}$/)
    .optional()
    .catch(undefined),
  receivedStatus: z.number().int().min(100).max(599).optional().catch(undefined),
};

const frameNews = {
  ...base,
  etag: etagText,
  startedAgoMs: durationMs,
  capturedAgoMs: durationMs,
  nextMs: durationMs,
  /** The camera's health by it, in times of the frames Redis; an older store script has none. */
  facts: z
    .object({ startedAtMs: timeMs, capturedAtMs: timeMs, changedAtMs: timeMs, goodSinceMs: timeMs })
    .optional(),
};

/**
 * The message about one camera. Durations count from its publication: `nextMs` and `inMs` say when
 * a permit can be had again, so nobody compares clocks.
 */
const announcement = z.discriminatedUnion('kind', [
  /** A call was sent, and is over in so long at the latest; until then nobody need ask for one. */
  z.object({
    ...base,
    kind: z.literal('started'),
    overMs: durationMs.optional(),
    /** The api process whose job it was. */
    askedBy: z.string().max(64).optional(),
  }),
  /** New bytes are in the frame store. */
  z.object({ ...frameNews, kind: z.literal('frame') }),
  /** The same bytes again: younger, not new. */
  z.object({ ...frameNews, kind: z.literal('unchanged') }),
  /** The call, or the attempt at one, failed; a frame that is there stays. */
  z.object({
    ...base,
    kind: z.literal('failure'),
    ...failureCause,
    nextMs: durationMs,
    facts: z.object({ sinceMs: timeMs, lastMs: timeMs, nextAtMs: timeMs }).optional(),
  }),
  /** No permit yet; `places` and `memory`: the fleet takes no new cameras. */
  z.object({
    ...base,
    kind: z.literal('wait'),
    reason: z.enum(['busy', 'spaced', 'backoff', 'budget', 'hold', 'places', 'memory']),
    inMs: durationMs,
  }),
  /** What there is of the camera is no good: stale, or to be forgotten. */
  z.object({
    ...base,
    kind: z.literal('purge'),
    mode: z.enum(['soft', 'hard']),
    purgedAtMs: timeMs,
  }),
]);

export type Announcement = z.infer<typeof announcement>;
export type Failure = Pick<
  Extract<Announcement, { kind: 'failure' }>,
  'status' | 'reason' | 'error' | 'receivedStatus' | 'nextMs' | 'trace'
>;

type WithoutVersion<A> = A extends unknown ? Omit<A, 'v'> : never;

export function encodeAnnouncement(message: WithoutVersion<Announcement>): string {
  return JSON.stringify({ v: VERSION, ...message });
}

/** Tells the fleet at once; where something is stored with it, the script that stores it tells. */
export async function publishAnnouncement(
  client: RedisClient,
  keys: Keys,
  message: WithoutVersion<Announcement>,
): Promise<void> {
  const channel = keys.channel(message.cameraId);
  await client.sendCommand([keys.publish, channel, encodeAnnouncement(message)]);
}

/** Undefined for what this version can't read: a newer fleet member may say more than we know. */
export function decodeAnnouncement(text: string): Announcement | undefined {
  return announcement.safeParse(parseJson(text)).data;
}

const failure = z.object(failureCause);

/** The remembered failure; how much longer it is remembered is the key's time to live. */
export function encodeFailure({ status, reason, error, receivedStatus }: Failure): string {
  return JSON.stringify({ v: VERSION, status, reason, error, receivedStatus });
}

export function decodeFailure(text: string): Omit<Failure, 'nextMs'> | undefined {
  return failure.safeParse(parseJson(text)).data;
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
