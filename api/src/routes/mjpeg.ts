import type { Context } from 'hono';
import type { HeldFrame } from '../cache/memory-cache.ts';
import { openStream, type StreamsDeps, type StreamViewer } from '../streams/open-stream.ts';
import { readTargets } from '../streams/stream-targets.ts';
import { signingOf } from './images.ts';
import { MJPEG_TYPE, mjpegPieces } from './mjpeg-body.ts';
import { readQuery, streamQuery } from './query-schemas.ts';

/** `GET, HEAD /stream?url=` or `?camera=`: every new frame of a camera, as MJPEG. */
export function getStream(c: Context, deps: StreamsDeps): Response {
  const { url, camera, sig, exp } = readQuery(c, streamQuery);
  const given = { url: list(url), camera: list(camera), sig: list(sig), exp: list(exp) };
  const targets = readTargets(given, signingOf(deps));
  const viewerFor = (wake: () => void) => mjpegViewer(wake, deps);
  return openStream(c, targets, { contentType: MJPEG_TYPE, viewerFor }, deps);
}

function list(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function mjpegViewer(wake: () => void, { reader }: StreamsDeps): StreamViewer {
  let latest: HeldFrame | undefined;
  let shown: string | undefined;
  const show = (held: HeldFrame) => {
    if (held.etag !== shown) latest = held;
  };
  return {
    tell: (_target, camera, { kind, state }, held) => {
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
    beat: () => {},
    take: () => {
      if (!latest) return [];
      const pieces = mjpegPieces(latest, shown === undefined);
      shown = latest.etag;
      latest = undefined;
      return pieces;
    },
    lastWords: () => undefined,
  };
}
