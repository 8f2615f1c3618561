import { RESP_TYPES } from 'redis';
import { z } from 'zod';
import {
  encodeAnnouncement,
  encodeFailure,
  type Failure,
  parseJson,
} from '../messages/announcement.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-link.ts';
import { loadScript, runScript } from '../redis/redis-script.ts';
import { type Dimensions, isEtag, isServedType } from './frame.ts';
import { type FrameLimits, NAMED_LIMIT } from './frame-limits.ts';
import { decodeStoredCamera, type ReadReply, type StoredCamera } from './stored-camera.ts';

const number = new URL('./number.lua', import.meta.url);
const frameLife = new URL('./frame-life.lua', import.meta.url);
const frameRoom = new URL('./frame-room.lua', import.meta.url);
const goodFrame = new URL('./good-frame.lua', import.meta.url);
const storeScript = loadScript(
  ...[number, frameLife, frameRoom, goodFrame, new URL('./store-frame.lua', import.meta.url)],
);
const renewScript = loadScript(
  ...[number, frameLife, goodFrame, new URL('./renew-frame.lua', import.meta.url)],
);
const failScript = loadScript(number, frameLife, new URL('./store-failure.lua', import.meta.url));
const noteScript = loadScript(number, new URL('./note-unmet-demand.lua', import.meta.url));
const readScript = loadScript(new URL('./read-frame.lua', import.meta.url));

/** Without the others a camera counts as named. */
type SomeLimits = Pick<FrameLimits, 'staleForMs'> & Partial<Omit<FrameLimits, 'staleForMs'>>;

/** A frame as its capture hands it over. Ages are those of the moment of storing. */
export interface CapturedFrame extends SomeLimits {
  cameraId: string;
  bytes: Buffer;
  contentType: string;
  etag: string;
  startedAgoMs: number;
  capturedAgoMs: number;
  /** From now until a permit can be had again. */
  nextMs: number;
  /** For the announcement. */
  sentAtMs?: number | undefined;
  /** The traceparent of storing it, for its announcement. */
  trace?: string | undefined;
  /** Told when it ends a time of failures. */
  onRecovered?: (() => void) | undefined;
  /** The camera's own, of these bytes. */
  validators?: Validators | undefined;
  dimensions?: Dimensions | undefined;
  /** A longer time between two good frames ends the run of them. */
  longestGapMs?: number;
  frozenAfterMs?: number | undefined;
}

export type StoreOutcome = 'frame' | 'unchanged' | 'older' | 'purged' | NoRoom;
export type NoRoom = 'no room' | 'no room to grow';

/** A camera's own validators, as it wrote them. */
export interface Validators {
  etag?: string | undefined;
  lastModified?: string | undefined;
}

/** A stored frame of which its camera can be asked whether it is still the last one. */
export interface KnownFrame {
  /** Our own ETag. */
  etag: string;
  validators: Validators;
}

const validatorsFormat = z.object({
  /** Our own ETag of the frame they came with: an older version of this program leaves them behind. */
  of: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

/** For `readCamera`: what is known of the frame, but not its bytes. */
export const NO_BYTES = '*';

/**
 * Stores a frame and announces it, in one step, so that who hears of it finds it. A frame that is
 * already there is never replaced by an older one, and the same bytes only make it younger. `purged`:
 * the camera was purged after the frame's call began, and the frame is dropped. `no room`: Redis takes
 * no first frame of this camera now, or none that is larger than the last.
 */
export async function storeFrame(
  client: RedisClient,
  keys: Keys,
  frame: CapturedFrame,
): Promise<StoreOutcome> {
  const { cameraId, etag } = frame;
  const startedAgoMs = Math.max(0, Math.round(frame.startedAgoMs));
  const capturedAgoMs = Math.max(0, Math.round(frame.capturedAgoMs));
  const { nextMs, sentAtMs, trace } = frame;
  const news = { cameraId, etag, startedAgoMs, capturedAgoMs, nextMs, sentAtMs, trace };
  const outcome = await runScript(
    client,
    storeScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId), keys.purged(cameraId)],
    [
      String(startedAgoMs),
      String(capturedAgoMs),
      String(Math.ceil(frame.staleForMs)),
      frame.contentType,
      etag,
      frame.bytes,
      keys.channel(cameraId),
      encodeAnnouncement({ kind: 'frame', ...news }),
      encodeAnnouncement({ kind: 'unchanged', ...news }),
      frame.validators ? encodeValidators({ etag, validators: frame.validators }) : '',
      ...runLimits(frame),
      String(frame.dimensions?.width ?? ''),
      String(frame.dimensions?.height ?? ''),
      ...keepTimes(frame),
      String(frame.firstLimit ?? NAMED_LIMIT),
      String(frame.growthLimit ?? NAMED_LIMIT),
      keys.publish,
    ],
  );
  return tellRecovery(String(outcome), frame) as StoreOutcome;
}

/** What of a stored frame a conditional call needs: not its bytes. Undefined: there is none. */
export async function readKnownFrame(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<KnownFrame | undefined> {
  const fields = ['etag', 'validators', 'type'] as const;
  const [etag, text, type] = await client.hmGet(keys.frame(cameraId), [...fields]);
  // Of a record that is none of ours the whole image is fetched, which replaces it.
  if (!etag || !text || !isEtag(etag) || !isServedType(type ?? '')) return undefined;
  const { of, ...validators } = validatorsFormat.safeParse(parseJson(text)).data ?? {};
  return of === etag ? { etag, validators } : undefined;
}

/**
 * The camera says that the known frame is still its last one: it becomes younger, and no bytes are
 * stored. `missing`: that frame is not there any more, so nothing is known.
 */
export async function renewFrame(
  client: RedisClient,
  keys: Keys,
  frame: Omit<CapturedFrame, 'bytes' | 'contentType' | 'etag' | 'validators' | 'dimensions'> & {
    known: KnownFrame;
  },
): Promise<'frame' | 'unchanged' | 'older' | 'missing'> {
  const { cameraId, known } = frame;
  const startedAgoMs = Math.max(0, Math.round(frame.startedAgoMs));
  const capturedAgoMs = Math.max(0, Math.round(frame.capturedAgoMs));
  const { nextMs, sentAtMs, trace } = frame;
  const times = { startedAgoMs, capturedAgoMs, nextMs, sentAtMs };
  const news = { cameraId, etag: known.etag, ...times, trace };
  const outcome = await runScript(
    client,
    renewScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)],
    [
      String(startedAgoMs),
      String(capturedAgoMs),
      String(Math.ceil(frame.staleForMs)),
      known.etag,
      encodeValidators(known),
      keys.channel(cameraId),
      encodeAnnouncement({ kind: 'frame', ...news }),
      encodeAnnouncement({ kind: 'unchanged', ...news }),
      ...runLimits(frame),
      ...keepTimes(frame),
      keys.publish,
    ],
  );
  return tellRecovery(String(outcome), frame) as 'frame' | 'unchanged' | 'older' | 'missing';
}

function tellRecovery(reply: string, { onRecovered }: Pick<CapturedFrame, 'onRecovered'>): string {
  if (!reply.endsWith(RECOVERED)) return reply;
  onRecovered?.();
  return reply.slice(0, -RECOVERED.length);
}

const RECOVERED = ' recovered';

/** How long the frame and what is known of the camera's health are kept at least. */
function keepTimes({
  staleForMs,
  keepMs = staleForMs,
  keepHealthMs = keepMs,
}: SomeLimits): string[] {
  return [String(Math.ceil(keepMs)), String(Math.ceil(keepHealthMs))];
}

/** What ends a run of good frames, beside a failure. */
function runLimits(frame: Pick<CapturedFrame, 'longestGapMs' | 'frozenAfterMs'>): string[] {
  const { longestGapMs = Number.MAX_SAFE_INTEGER, frozenAfterMs = 0 } = frame;
  return [String(Math.ceil(longestGapMs)), String(frozenAfterMs)];
}

function encodeValidators({ etag: of, validators }: KnownFrame): string {
  const { etag, lastModified } = validators;
  return JSON.stringify({ of, etag, lastModified });
}

/**
 * Remembers a failure for a while, so that nobody waits for a camera that just failed; announces it.
 * Gives whether it is the first since the last good frame.
 */
export async function storeFailure(
  client: RedisClient,
  keys: Keys,
  {
    cameraId,
    rememberMs,
    sentAtMs,
    limits,
    ...failure
  }: Failure & {
    cameraId: string;
    rememberMs: number;
    sentAtMs?: number | undefined;
    limits: Pick<FrameLimits, 'staleForMs' | 'keepMs' | 'keepHealthMs'>;
  },
): Promise<boolean> {
  const outcome = await runScript(
    client,
    failScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)],
    [
      encodeFailure(failure),
      String(Math.max(1, Math.ceil(rememberMs))),
      String(failure.nextMs),
      failure.reason,
      keys.channel(cameraId),
      encodeAnnouncement({ kind: 'failure', cameraId, sentAtMs, ...failure }),
      String(Math.ceil(limits.staleForMs)),
      ...keepTimes(limits),
      keys.publish,
    ],
  );
  return outcome === 'begun';
}

/** Notes that somebody has asked for a camera in vain for so long, and may still do for a while. */
export async function noteAsked(
  client: RedisClient,
  keys: Keys,
  { cameraId, askedForMs, holdsMs }: { cameraId: string; askedForMs: number; holdsMs: number },
): Promise<void> {
  const args = [String(Math.round(askedForMs)), String(Math.round(holdsMs))];
  await runScript(client, noteScript, [keys.health(cameraId)], args);
}

/** Removes what the store has of a camera. It tells nobody: nobody has asked for it for long. */
export async function forgetCamera(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<void> {
  await client.del([keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)]);
}

/** Reads a camera's frame, remembered failure and health; `knownEtag` spares the bytes of that frame. */
export async function readCamera(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
  knownEtag = '',
): Promise<StoredCamera> {
  const buffers = withBuffers(client);
  const reply = await runScript(
    buffers,
    readScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)],
    [knownEtag],
  );
  return decodeStoredCamera(cameraId, reply as ReadReply);
}

const asBuffers = (client: RedisClient) =>
  client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
const buffered = new WeakMap<RedisClient, ReturnType<typeof asBuffers>>();

/** The same connection, giving bytes; made once, for it costs as much as a command. */
function withBuffers(client: RedisClient): ReturnType<typeof asBuffers> {
  const known = buffered.get(client) ?? asBuffers(client);
  buffered.set(client, known);
  return known;
}
