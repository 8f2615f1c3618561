import type { Context } from 'hono';
import { signatureContext } from '../access/signed-url.ts';
import type { FrameReader } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import { readTargets } from '../streams/stream-targets.ts';
import { isCameraIn, readQuery, streamQuery } from './query-schemas.ts';

export interface MjpegDeps extends StreamsDeps {
  reader: Pick<FrameReader, 'read'>;
}

/** `GET, HEAD /stream?url=` or `?camera=`: every new frame of a camera, as MJPEG. */
export function getStream(c: Context, deps: MjpegDeps): Response {
  const { url, camera, sig, exp } = readQuery(c, streamQuery, isCameraIn(deps.rules));
  const lists = { url: toList(url), camera: toList(camera), sig: toList(sig), exp: toList(exp) };
  const targets = readTargets(lists, signatureContext(deps));
  const viewerFor = (wake: () => void) => mjpegViewer(wake, deps);
  return openStream(c, targets, { contentType: MJPEG_TYPE, viewerFor }, deps);
}

function toList(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function mjpegViewer(wake: () => void, { reader }: MjpegDeps): StreamViewer {
  let latest: HeldFrame | undefined;
  let shownEtag: string | undefined;
  const show = (held: HeldFrame) => {
    if (held.etag !== shownEtag) latest = held;
  };
  return {
    send: (_target, camera, { kind, state }, held) => {
      if (!state.frame) latest = undefined;
      if (kind !== 'frame') return;
      if (held?.etag === state.frame?.etag && held) show(held);
      // It is no longer in memory, or did not fit.
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
    onDropped: () => {
      latest = undefined;
    },
    // Anything sent between images would become a part of the next one.
    sendHeartbeat: () => {},
    takeChunks: () => {
      if (!latest) return [];
      const pieces = mjpegPieces(latest, shownEtag === undefined);
      shownEtag = latest.etag;
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
 * Begins a part, without a length. Browsers show a part when it ends, at the next boundary, so this
 * is sent right after each image instead of with the next one.
 */
function partHead(contentType: string): Buffer {
  const cached = heads.get(contentType);
  if (cached) return cached;
  const head = Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: ${contentType}\r\n\r\n`);
  heads.set(contentType, head);
  return head;
}

/**
 * Returns a frame in pieces that are not copied per viewer. The head of its part was sent after the
 * frame before, with that frame's type: cameras rarely change format, and browsers go by the bytes.
 */
export function mjpegPieces({ bytes, contentType }: HeldFrame, isFirst: boolean): Uint8Array[] {
  const head = partHead(contentType);
  return isFirst ? [head.subarray(2), bytes, head] : [bytes, head];
}
