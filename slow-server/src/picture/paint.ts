import { Path2D } from '@napi-rs/canvas';
import type { Stage } from './stage.ts';

/** A fill colour and an SVG path around the place of the figure, in pixels of a picture 720 high. */
export type Shape = readonly [colour: string, path: string];

export interface Place {
  /** In pixels of this picture. */
  x: number;
  y: number;
  scale?: number;
  /** Left is right. */
  isMirrored?: boolean;
}

/** Paints a figure of several shapes. */
export function paintFigure(
  { context, height }: Stage,
  { x, y, scale = 1, isMirrored = false }: Place,
  shapes: readonly Shape[],
): void {
  const unit = (scale * height) / 720;
  context.save();
  context.translate(x, y);
  context.scale(isMirrored ? -unit : unit, unit);
  for (const [colour, path] of shapes) {
    context.fillStyle = colour;
    context.fill(new Path2D(path));
  }
  context.restore();
}

/** Returns the SVG path of a circle. */
export function circle(x: number, y: number, radius: number): string {
  const half = `a${radius} ${radius} 0 1 1`;
  return `M${x - radius} ${y}${half} ${2 * radius} 0${half} ${-2 * radius} 0`;
}

/**
 * Fills the picture's width between two heights, from 0 (top) to 1, with a gradient from the first
 * colour to the last.
 */
export function fillBand(
  { context, width, height }: Stage,
  [from, to]: readonly [number, number],
  colours: readonly string[],
): void {
  const gradient = context.createLinearGradient(0, height * from, 0, height * to);
  for (const [n, colour] of colours.entries())
    gradient.addColorStop(n / Math.max(1, colours.length - 1), colour);
  context.fillStyle = gradient;
  context.fillRect(0, height * from, width, height * (to - from));
}

/** Fills the land under a line of heights from left to right, which are fractions of the picture's. */
export function fillLand(
  { context, width, height }: Stage,
  heights: readonly number[],
  colour: string,
): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, height);
  for (const [n, y] of heights.entries())
    context.lineTo((n / (heights.length - 1)) * width, y * height);
  context.lineTo(width, height);
  context.fill();
}
