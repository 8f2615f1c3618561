import type { Context } from 'hono';
import { signingOf } from '../access/signed-url.ts';
import type { FrameReader } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import { readTargets } from '../streams/stream-targets.ts';
import { readQuery, streamQuery } from './query-schemas.ts';

export interface MjpegDeps extends StreamsDeps {
  reader: Pick<FrameReader, 'read'>;
}

/** `GET, HEAD /stream?url=` or `?camera=`: every new frame of a camera, as MJPEG. */
export function getStream(c: Context, deps: MjpegDeps): Response {
  const { url, camera, sig, exp } = readQuery(c, streamQuery);
  const given = { url: list(url), camera: list(camera), sig: list(sig), exp: list(exp) };
  const targets = readTargets(given, signingOf(deps));
  const viewerFor = (wake: () => void) => mjpegViewer(wake, deps);
  return openStream(c, targets, { contentType: MJPEG_TYPE, viewerFor }, deps);
}

function list(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function mjpegViewer(wake: () => void, { reader }: MjpegDeps): StreamViewer {
  let latest: HeldFrame | undefined;
  let shown: string | undefined;
  const show = (held: HeldFrame) => {
    if (held.etag !== shown) latest = held;
  };
  return {
    send: (_target, camera, { kind, state }, held) => {
      if (!state.frame) latest = undefined;
      if (kind !== 'frame') return;
      if (held?.etag === state.frame?.etag && held) show(held);
      // It is not in memory any more, or never fitted in.
      else {
        reader.read(camera).then(
          (read) => {
            if (read.held) show(read.held);
            wake();
          },
          () => {}, // the next frame will do
        );
      }
    },
    dropped: () => {
      latest = undefined;
    },
    // What could be sent between pictures would be a part of the next one.
    sendHeartbeat: () => {},
    take: () => {
      if (!latest) return [];
      const pieces = mjpegPieces(latest, shown === undefined);
      shown = latest.etag;
      latest = undefined;
      return pieces;
    },
    finalBytes: () => undefined,
  };
}

const BOUNDARY = 'frame';
export const MJPEG_TYPE = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;

const heads = new Map<string, Buffer>();

/**
 * Begins a part. Without a length: browsers show a part when it is over, that is at the next
 * boundary, so this is sent right behind each picture and not only with the next one.
 */
function partHead(contentType: string): Buffer {
  const known = heads.get(contentType);
  if (known) return known;
  const head = Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: ${contentType}\r\n\r\n`);
  heads.set(contentType, head);
  return head;
}

/**
 * A frame in pieces that are never copied for a viewer. The head of its part has been sent behind
 * the frame before, with that one's type: a camera that changes its format is rare, and browsers go
 * by the bytes.
 */
export function mjpegPieces({ bytes, contentType }: HeldFrame, isFirst: boolean): Uint8Array[] {
  const head = partHead(contentType);
  return isFirst ? [head.subarray(2), bytes, head] : [bytes, head];
}
