import type { SKRSContext2D } from '@napi-rs/canvas';
import type { PictureStyle } from './style.ts';

/** What a picture shows. */
export interface Capture {
  name: string;
  /** Wall clock, in ms since 1970. */
  atMs: number;
  /** The call's number among all calls, and among this camera's. */
  number: number;
  cameraNumber: number;
}

/** The input of a scene's painters. Lengths are in pixels of the picture. */
export interface Stage {
  context: SKRSContext2D;
  width: number;
  height: number;
  style: PictureStyle;
  /** Seconds since 1970, with fractions; drives all motion. */
  timeS: number;
}
