import { RESP_TYPES } from 'redis';
import { z } from 'zod';
import {
  decodeFailure,
  encodeAnnouncement,
  encodeFailure,
  type Failure,
  parseJson,
} from './announcement.ts';
import type { Frame } from './frame.ts';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-link.ts';
import { loadScript, runScript } from './redis-script.ts';

const storeScript = loadScript(new URL('./store-frame.lua', import.meta.url));
const renewScript = loadScript(new URL('./renew-frame.lua', import.meta.url));
const readScript = loadScript(new URL('./read-frame.lua', import.meta.url));

/** A frame as its capture hands it over. Ages are those of the moment of storing. */
export interface CapturedFrame {
  cameraId: string;
  bytes: Buffer;
  contentType: string;
  etag: string;
  startedAgoMs: number;
  capturedAgoMs: number;
  /** From now until a permit can be had again. */
  nextMs: number;
  staleForMs: number;
  /** The camera's own, of these bytes. */
  validators?: Validators | undefined;
}

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

/** What the store knows of a camera at one instant of its clock. */
export interface StoredCamera {
  /** `bytes` are missing when the reader said that it has them. */
  frame?: Omit<Frame, 'bytes'> & { bytes?: Buffer; startedAgoMs: number; capturedAgoMs: number };
  failure?: Failure;
}

/**
 * Stores a frame and announces it, in one step, so that who hears of it finds it. A frame that is
 * already there is never replaced by an older one, and the same bytes only make it younger.
 */
export async function storeFrame(
  client: RedisClient,
  keys: Keys,
  frame: CapturedFrame,
): Promise<'frame' | 'unchanged' | 'older'> {
  const { cameraId, etag } = frame;
  const startedAgoMs = Math.max(0, Math.round(frame.startedAgoMs));
  const capturedAgoMs = Math.max(0, Math.round(frame.capturedAgoMs));
  const news = { cameraId, etag, startedAgoMs, capturedAgoMs, nextMs: frame.nextMs };
  const outcome = await runScript(
    client,
    storeScript,
    [keys.frame(cameraId), keys.failure(cameraId)],
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
      keys.publish,
      frame.validators ? encodeValidators({ etag, validators: frame.validators }) : '',
    ],
  );
  return outcome as 'frame' | 'unchanged' | 'older';
}

/** What of a stored frame a conditional call needs: not its bytes. Undefined: there is none. */
export async function readKnownFrame(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<KnownFrame | undefined> {
  const [etag, text] = await client.hmGet(keys.frame(cameraId), ['etag', 'validators']);
  if (!etag || !text) return undefined;
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
  frame: Omit<CapturedFrame, 'bytes' | 'contentType' | 'etag' | 'validators'> & {
    known: KnownFrame;
  },
): Promise<'frame' | 'unchanged' | 'older' | 'missing'> {
  const { cameraId, known } = frame;
  const startedAgoMs = Math.max(0, Math.round(frame.startedAgoMs));
  const capturedAgoMs = Math.max(0, Math.round(frame.capturedAgoMs));
  const news = { cameraId, etag: known.etag, startedAgoMs, capturedAgoMs, nextMs: frame.nextMs };
  const outcome = await runScript(
    client,
    renewScript,
    [keys.frame(cameraId), keys.failure(cameraId)],
    [
      String(startedAgoMs),
      String(capturedAgoMs),
      String(Math.ceil(frame.staleForMs)),
      known.etag,
      encodeValidators(known),
      keys.channel(cameraId),
      encodeAnnouncement({ kind: 'frame', ...news }),
      encodeAnnouncement({ kind: 'unchanged', ...news }),
      keys.publish,
    ],
  );
  return outcome as 'frame' | 'unchanged' | 'older' | 'missing';
}

function encodeValidators({ etag: of, validators }: KnownFrame): string {
  const { etag, lastModified } = validators;
  return JSON.stringify({ of, etag, lastModified });
}

/** Remembers a failure for a while, so that nobody waits for a camera that just failed; announces it. */
export async function storeFailure(
  client: RedisClient,
  keys: Keys,
  { cameraId, rememberMs, ...failure }: Failure & { cameraId: string; rememberMs: number },
): Promise<void> {
  const value = Math.max(1, Math.ceil(rememberMs));
  await client
    .multi()
    .set(keys.failure(cameraId), encodeFailure(failure), { expiration: { type: 'PX', value } })
    .addCommand([
      keys.publish,
      keys.channel(cameraId),
      encodeAnnouncement({ kind: 'failure', cameraId, ...failure }),
    ])
    .exec();
}

/** Reads a camera's frame and remembered failure; `knownEtag` spares the bytes of that frame. */
export async function readCamera(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
  knownEtag = '',
): Promise<StoredCamera> {
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const reply = await runScript(
    buffers,
    readScript,
    [keys.frame(cameraId), keys.failure(cameraId)],
    [knownEtag],
  );
  return decodeStoredCamera(cameraId, reply as unknown[]);
}

function decodeStoredCamera(cameraId: string, reply: readonly unknown[]): StoredCamera {
  const nowMs = Number(reply[0]);
  const failureLeftMs = Number(reply[8]);
  const [startedAt, capturedAt, changedAt, type, etag, bytes, failureText] = reply.slice(
    1,
    8,
  ) as (Buffer | null)[];
  const failure = failureText ? decodeFailure(failureText.toString()) : undefined;
  const known = failure ? { failure: { ...failure, nextMs: Math.max(0, failureLeftMs) } } : {};
  if (!startedAt || !capturedAt || !changedAt || !type || !etag) return known;
  const startedAtMs = Number(startedAt);
  const capturedAtMs = Number(capturedAt);
  return {
    ...known,
    frame: {
      cameraId,
      contentType: type.toString(),
      etag: etag.toString(),
      ...(bytes ? { bytes } : {}),
      startedAtMs,
      capturedAtMs,
      changedAtMs: Number(changedAt),
      // Never negative: a clock set back must not make a frame fresh for an hour.
      startedAgoMs: Math.max(0, nowMs - startedAtMs),
      capturedAgoMs: Math.max(0, nowMs - capturedAtMs),
    },
  };
}
