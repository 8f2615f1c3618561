import { RESP_TYPES } from 'redis';
import { z } from 'zod';
import { isEtag } from '../http/etag.ts';
import {
  encodeAnnouncement,
  encodeFailure,
  type Failure,
  parseJson,
} from '../messages/announcement.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-link.ts';
import { loadScript, runScript } from '../redis/redis-script.ts';
import { type Dimensions, isServedType } from './frame.ts';
import type { FrameLimits } from './frame-limits.ts';
import { decodeStoredCamera, type ReadReply, type StoredCamera } from './stored-camera.ts';

const number = new URL('./number.lua', import.meta.url);
const frameLife = new URL('./frame-life.lua', import.meta.url);
const frameRoom = new URL('./frame-room.lua', import.meta.url);
const goodFrame = new URL('./good-frame.lua', import.meta.url);
const storeScript = loadScript(
  number,
  frameLife,
  frameRoom,
  goodFrame,
  new URL('./store-frame.lua', import.meta.url),
);
const renewScript = loadScript(
  number,
  frameLife,
  goodFrame,
  new URL('./renew-frame.lua', import.meta.url),
);
const failScript = loadScript(number, frameLife, new URL('./store-failure.lua', import.meta.url));
const noteScript = loadScript(number, new URL('./note-unmet-demand.lua', import.meta.url));
const readScript = loadScript(new URL('./read-frame.lua', import.meta.url));

/** A captured frame. Ages are as of the moment of storing. */
export interface CapturedFrame extends FrameLimits {
  cameraId: string;
  bytes: Buffer;
  contentType: string;
  etag: string;
  startedAgoMs: number;
  capturedAgoMs: number;
  /** Time until the next permit can be granted. */
  nextMs: number;
  /** For the announcement. */
  sentAtMs?: number | undefined;
  /** The traceparent of storing the frame, for the announcement. */
  trace?: string | undefined;
  /** Called when this frame ends a run of failures. */
  onRecovered?: (() => void) | undefined;
  /** The camera's own validators of these bytes. */
  validators?: Validators | undefined;
  dimensions?: Dimensions | undefined;
  /** A longer gap between two good frames ends the run. */
  longestGapMs: number;
  /** Only with a variable interval. */
  cadence?: CadenceDecision | undefined;
  frozenAfterMs?: number | undefined;
}

/** When a camera with a variable interval is due again, and what its calls have shown so far. */
export interface CadenceDecision {
  /** From the start of the call, in ms. */
  freshForMs: number;
  /** For the worker of the next call; opaque to everybody else. If empty, the last one stays. */
  learned: string;
}

export type StoreOutcome = 'frame' | 'unchanged' | 'older' | 'purged' | NoRoom;
export type NoRoom = 'no room' | 'no room to grow';

/** A stored frame that its camera can revalidate. */
export interface KnownFrame {
  /** Our own ETag. */
  etag: string;
  validators: Validators;
}

const validatorsFormat = z.object({
  /** Our own ETag of their frame: older versions of this program leave validators behind. */
  of: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

/** A camera's own validators, as it wrote them. */
export type Validators = Omit<z.infer<typeof validatorsFormat>, 'of'>;

/** Makes `readCamera` read everything but the bytes. */
export const NO_BYTES = '*';

/**
 * Stores a frame and announces it in one step, so that every subscriber finds it. An older frame
 * never replaces a newer one, and the same bytes only update its times. `purged`: the camera was
 * purged after the frame's call began, and the frame is dropped. `no room`: Redis now accepts no
 * first frame of this camera, or none larger than the last.
 */
export async function storeFrame(
  client: RedisClient,
  keys: Keys,
  frame: CapturedFrame,
): Promise<StoreOutcome> {
  const { cameraId, etag } = frame;
  const { ages, ifNew, ifUnchanged } = announcedFrame(frame, etag);
  const outcome = await runScript(
    client,
    storeScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId), keys.purged(cameraId)],
    [
      ...ages,
      String(Math.ceil(frame.staleForMs)),
      frame.contentType,
      etag,
      frame.bytes,
      keys.channel(cameraId),
      ifNew,
      ifUnchanged,
      frame.validators ? encodeValidators({ etag, validators: frame.validators }) : '',
      ...runLimits(frame),
      String(frame.dimensions?.width ?? ''),
      String(frame.dimensions?.height ?? ''),
      ...keepTimes(frame),
      String(frame.firstLimit),
      String(frame.growthLimit),
      ...cadenceFields(frame),
      keys.publish,
    ],
  );
  return emitRecovery(String(outcome), frame) as StoreOutcome;
}

/** Reads what a conditional call needs from a stored frame; `undefined` if there is none. */
export async function readKnownFrame(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<KnownFrame | undefined> {
  const fields = ['etag', 'validators', 'type'] as const;
  const [etag, text, type] = await client.hmGet(keys.frame(cameraId), [...fields]);
  // For a malformed record, the next call fetches the whole image, which replaces it.
  if (!etag || !text || !isEtag(etag) || !isServedType(type ?? '')) return undefined;
  const { of, ...validators } = validatorsFormat.safeParse(parseJson(text)).data ?? {};
  return of === etag ? { etag, validators } : undefined;
}

/** Reads what earlier calls have shown of a camera's cadence, as their worker stored it, or ''. */
export async function readCadence(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<string> {
  return (await client.hGet(keys.frame(cameraId), 'cadence')) ?? '';
}

/**
 * Updates the times of the known frame after its camera confirmed it; stores no bytes. `missing`:
 * that frame is no longer there.
 */
export async function renewFrame(
  client: RedisClient,
  keys: Keys,
  frame: Omit<CapturedFrame, 'bytes' | 'contentType' | 'etag' | 'validators' | 'dimensions'> & {
    known: KnownFrame;
  },
): Promise<'frame' | 'unchanged' | 'older' | 'missing'> {
  const { cameraId, known } = frame;
  const { ages, ifNew, ifUnchanged } = announcedFrame(frame, known.etag);
  const outcome = await runScript(
    client,
    renewScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)],
    [
      ...ages,
      String(Math.ceil(frame.staleForMs)),
      known.etag,
      encodeValidators(known),
      keys.channel(cameraId),
      ifNew,
      ifUnchanged,
      ...runLimits(frame),
      ...keepTimes(frame),
      ...cadenceFields(frame),
      keys.publish,
    ],
  );
  return emitRecovery(String(outcome), frame) as 'frame' | 'unchanged' | 'older' | 'missing';
}

function emitRecovery(reply: string, { onRecovered }: Pick<CapturedFrame, 'onRecovered'>): string {
  if (!reply.endsWith(RECOVERED)) return reply;
  onRecovered?.();
  return reply.slice(0, -RECOVERED.length);
}

const RECOVERED = ' recovered';

type FrameTimes = Pick<
  CapturedFrame,
  'cameraId' | 'startedAgoMs' | 'capturedAgoMs' | 'nextMs' | 'sentAtMs' | 'trace' | 'cadence'
>;

/** Returns a frame's ages for a script, and the announcements that it chooses from. */
function announcedFrame(frame: FrameTimes, etag: string) {
  const { cameraId, nextMs, sentAtMs, trace } = frame;
  const startedAgoMs = Math.max(0, Math.round(frame.startedAgoMs));
  const capturedAgoMs = Math.max(0, Math.round(frame.capturedAgoMs));
  const freshForMs = frame.cadence?.freshForMs;
  const ages = { startedAgoMs, capturedAgoMs, nextMs, freshForMs };
  const fields = { cameraId, etag, ...ages, sentAtMs, trace };
  return {
    ages: [String(startedAgoMs), String(capturedAgoMs)],
    ifNew: encodeAnnouncement({ kind: 'frame', ...fields }),
    ifUnchanged: encodeAnnouncement({ kind: 'unchanged', ...fields }),
  };
}

/** Minimum times to keep the frame and the camera's health. */
function keepTimes(limits: Pick<FrameLimits, 'keepMs' | 'keepHealthMs'>): string[] {
  return [String(Math.ceil(limits.keepMs)), String(Math.ceil(limits.keepHealthMs))];
}

function cadenceFields({ cadence }: Pick<CapturedFrame, 'cadence'>): string[] {
  return cadence ? [String(Math.ceil(cadence.freshForMs)), cadence.learned] : ['', ''];
}

/** What ends a run of good frames, besides a failure. */
function runLimits(frame: Pick<CapturedFrame, 'longestGapMs' | 'frozenAfterMs'>): string[] {
  return [String(Math.ceil(frame.longestGapMs)), String(frame.frozenAfterMs ?? 0)];
}

function encodeValidators({ etag: of, validators }: KnownFrame): string {
  const { etag, lastModified } = validators;
  return JSON.stringify({ of, etag, lastModified });
}

interface StoredFailure extends Failure {
  cameraId: string;
  rememberMs: number;
  sentAtMs?: number | undefined;
  limits: Pick<FrameLimits, 'staleForMs' | 'keepMs' | 'keepHealthMs'>;
}

/**
 * Remembers a failure for a while, so that no request waits for a camera that just failed, and
 * announces it. Returns whether it is the first since the last good frame.
 */
export async function storeFailure(
  client: RedisClient,
  keys: Keys,
  { cameraId, rememberMs, sentAtMs, limits, ...failure }: StoredFailure,
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

/** Records that requests for a camera have gone unmet for `askedForMs`; holds for `holdsMs`. */
export async function recordUnmetDemand(
  client: RedisClient,
  keys: Keys,
  { cameraId, askedForMs, holdsMs }: { cameraId: string; askedForMs: number; holdsMs: number },
): Promise<void> {
  const args = [String(Math.round(askedForMs)), String(Math.round(holdsMs))];
  await runScript(client, noteScript, [keys.health(cameraId)], args);
}

/** Removes an evicted camera from the store, without an announcement: no request needs it. */
export async function forgetCamera(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<void> {
  await client.del([keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId)]);
}

/** Reads a camera's frame, remembered failure and health; skips the bytes of `knownEtag`. */
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

/**
 * Returns the same connection with replies as bytes. Cached, as creating it costs as much as a
 * command.
 */
function withBuffers(client: RedisClient): ReturnType<typeof asBuffers> {
  const known = buffered.get(client) ?? asBuffers(client);
  buffered.set(client, known);
  return known;
}
