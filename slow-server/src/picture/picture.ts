import { createCanvas } from '@napi-rs/canvas';
import type { PictureSize } from '../behaviour/units.ts';
import { paintScene } from '../scenes/scene.ts';
import { MONO, SANS } from './fonts.ts';
import { cssColour, landColour } from './mood.ts';
import { clockText, paintOverlay } from './overlay.ts';
import type { Capture, Stage } from './stage.ts';
import { styleOf } from './style.ts';

const DEFAULT_SIZE: PictureSize = { width: 1280, height: 720 };

/** Narrower pictures, for load tests, show no scene and are drawn in a fraction of the time. */
const SCENE_WIDTH = 200;

/**
 * Draws a capture as a JPEG, the same bytes for the same capture. Drawing takes a few milliseconds
 * of the event loop; encoding runs beside it. Call `loadFonts` first.
 */
export async function drawPicture(capture: Capture, size = DEFAULT_SIZE): Promise<Buffer> {
  const canvas = createCanvas(size.width, size.height);
  const context = canvas.getContext('2d', { alpha: false });
  const stage = { context, ...size, style: styleOf(capture.name), timeS: capture.atMs / 1000 };
  if (size.width < SCENE_WIDTH) {
    paintThumbnail(stage, capture);
  } else {
    paintScene(stage);
    paintOverlay(stage, capture);
  }
  return await canvas.encode('jpeg', 86);
}

/** Paints sky, land and three lines of text. */
function paintThumbnail({ context, width, height, style }: Stage, capture: Capture): void {
  const line = Math.min(height / 3.2, width / 6);
  context.fillStyle = cssColour(style.mood.sky.top);
  context.fillRect(0, 0, width, height * 0.6);
  context.fillStyle = landColour(style.mood, 0.9);
  context.fillRect(0, height * 0.6, width, height);
  context.fillStyle = '#ffffff';
  context.font = `${line}px ${SANS}`;
  context.fillText(capture.name.slice(0, 20), 2, line * 0.95);
  context.fillText(`#${capture.number}`, 2, line * 2.95);
  context.fillStyle = style.accent;
  context.font = `${line * 0.92}px ${MONO}`;
  context.fillText(clockText(capture.atMs), 2, line * 1.95);
}
