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

/** Version of every payload, message and stored frame. Readers ignore unknown fields. */
export const VERSION = 1;

const base = {
  v: z.number(),
  cameraId: cameraIdText,
  /** By the sender's estimate of the queue Redis's clock; for metrics only. */
  sentAtMs: timeMs.optional(),
  /** The traceparent of the announcing step, if tracing is on. */
  trace: traceparent.optional(),
};

/**
 * `error` is an error type of RFC 9209, `receivedStatus` the status of the camera's response. Both
 * are optional: an invalid value is dropped and does not invalidate the failure.
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

const frameFields = {
  ...base,
  etag: etagText,
  startedAgoMs: durationMs,
  capturedAgoMs: durationMs,
  nextMs: durationMs,
  /** From the start of the call, only with a variable interval. */
  freshForMs: durationMs.optional(),
  /** The resulting health of the camera, in frames Redis time; older store scripts send none. */
  facts: z
    .object({ startedAtMs: timeMs, capturedAtMs: timeMs, changedAtMs: timeMs, goodSinceMs: timeMs })
    .optional(),
};

/** Why a camera gets no permit now. */
const DENIALS = ['busy', 'spaced', 'backoff', 'budget', 'hold'] as const;
export type Denial = (typeof DENIALS)[number];

/** Why a worker made no call: it was too slow, or the source has its share of the worker. */
const BUSY_WORKER = ['late', 'share'] as const;
/** Why the next call has to wait. */
export type WaitReason = Denial | Rejection | (typeof BUSY_WORKER)[number];

/** Why the fleet accepts no new camera: its source has reached its limit, or Redis is full. */
const REJECTIONS = ['places', 'memory'] as const;
export type Rejection = (typeof REJECTIONS)[number];

export function isRejection(reason: WaitReason): reason is Rejection {
  return REJECTIONS.some((rejection) => rejection === reason);
}

/**
 * A message about one camera. Durations count from its publication, so that no clocks are compared:
 * `nextMs` and `inMs` say when the next permit can be granted.
 */
const announcement = z.discriminatedUnion('kind', [
  /** A call was sent and ends within `overMs`; until then no refresh need be requested. */
  z.object({
    ...base,
    kind: z.literal('started'),
    overMs: durationMs.optional(),
    /** The api process that requested the job. */
    askedBy: z.string().max(64).optional(),
    /** How long the job waited in the queue. */
    queuedMs: durationMs.optional(),
  }),
  /** New bytes are in the frame store. */
  z.object({ ...frameFields, kind: z.literal('frame') }),
  /** The same bytes, captured again. */
  z.object({ ...frameFields, kind: z.literal('unchanged') }),
  /** The call, or the attempt at one, failed; a stored frame stays. */
  z.object({
    ...base,
    kind: z.literal('failure'),
    ...failureCause,
    nextMs: durationMs,
    facts: z.object({ sinceMs: timeMs, lastMs: timeMs, nextAtMs: timeMs }).optional(),
  }),
  /** No call yet: no permit, a new camera is rejected, or the worker is too busy. */
  z.object({
    ...base,
    kind: z.literal('wait'),
    reason: z.enum([...DENIALS, ...BUSY_WORKER, ...REJECTIONS]),
    inMs: durationMs,
  }),
  /** The camera's frame counts as stale (`soft`) or is deleted (`hard`). */
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

/** Publishes a message on its own; scripts that store something publish their own messages. */
export async function publishAnnouncement(
  client: RedisClient,
  keys: Keys,
  message: WithoutVersion<Announcement>,
): Promise<void> {
  const channel = keys.channel(message.cameraId);
  await client.sendCommand([keys.publish, channel, encodeAnnouncement(message)]);
}

/** Returns `undefined` for a message that this version does not know: a newer one may send it. */
export function decodeAnnouncement(text: string): Announcement | undefined {
  return announcement.safeParse(parseJson(text)).data;
}

const failure = z.object(failureCause);

/** Encodes a remembered failure. The TTL of its key is how much longer it is remembered. */
export function encodeFailure({ status, reason, error, receivedStatus }: Failure): string {
  return JSON.stringify({ v: VERSION, status, reason, error, receivedStatus });
}

export function decodeFailure(text: string): Omit<Failure, 'nextMs'> | undefined {
  return failure.safeParse(parseJson(text)).data;
}

/** Returns `undefined` for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
