import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Look } from './look.ts';

/** What a picture shows. */
export interface Capture {
  name: string;
  /** Wall clock, in ms since 1970. */
  atMs: number;
  /** Which call it is of all calls, and of this camera's. */
  number: number;
  cameraNumber: number;
}

/** What a painter of a part of the scene gets. Lengths are in pixels of the picture. */
export interface Stage {
  context: SKRSContext2D;
  width: number;
  height: number;
  look: Look;
  /** Seconds since 1970, with fractions: what moves goes by it. */
  timeS: number;
}
