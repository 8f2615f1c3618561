import { MONO, SANS } from './fonts.ts';
import { fillBand } from './paint.ts';
import type { Capture, Stage } from './stage.ts';

/** Distance from the sides of a picture 1280 wide, clear of the corner marks. */
const MARGIN = 66;
/** A test card, which shows whether a viewer or a proxy changes colours. */
const BARS = ['#0000ff', '#ff0000', '#ff00ff', '#00ff00', '#00ffff', '#ffff00', '#ffffff'];

/** Paints the name, time and numbers over the scene, as real cameras do. */
export function paintOverlay(stage: Stage, capture: Capture): void {
  const { context, width, height, style } = stage;
  const unit = Math.min(width / 1280, height / 720);
  // White text must be legible on any scene.
  fillBand(stage, [0.7, 1], ['rgb(0 0 0 / 0)', 'rgb(0 0 0 / 0.5)', 'rgb(0 0 0 / 0.82)']);
  paintCorners(stage, unit);
  for (const [n, colour] of [...BARS, style.accent].entries()) {
    context.fillStyle = colour;
    context.fillRect(width - (MARGIN + 22 * (n + 2)) * unit, 56 * unit, 22.5 * unit, 14 * unit);
  }
  const [left, right] = [MARGIN * unit, width - MARGIN * unit];
  const [upper, lower] = [height - 82 * unit, height - 40 * unit];
  const write = (text: string, font: string, x: number, y: number, room = right - left) => {
    context.font = font;
    context.fillText(text, x, y, room);
    return context.measureText(text).width;
  };
  const [large, small] = [66 * unit, 28 * unit];
  context.textAlign = 'right';
  context.fillStyle = style.accent;
  const clockWidth = write(clockText(capture.atMs), `${large}px ${MONO}`, right, upper);
  context.fillStyle = '#ffffff';
  const numbers = `call ${capture.cameraNumber} of this camera, ${capture.number} of all`;
  write(numbers, `${small}px ${SANS}`, right, lower);
  context.textAlign = 'left';
  write(dateText(capture.atMs), `${small}px ${SANS}`, left, lower);
  const room = right - left - clockWidth - 40 * unit;
  // A long name is smaller, and a very long one also narrower.
  context.font = `${large}px ${SANS}`;
  const shrink = Math.min(1, Math.max(room / context.measureText(capture.name).width, 0.4));
  write(capture.name, `${large * shrink}px ${SANS}`, left, upper, room);
}

/** Returns a time like `17:36:05.4`, in UTC so that pictures of any servers compare. */
export function clockText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 21);
}

function dateText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 10)} UTC, simulated camera`;
}

function paintCorners({ context, width, height }: Stage, unit: number): void {
  const [edge, arm] = [24 * unit, 34 * unit];
  context.strokeStyle = 'rgb(255 255 255 / 0.7)';
  context.lineWidth = 3 * unit;
  context.setLineDash([2 * arm, width - 2 * (edge + arm), 2 * arm, height - 2 * (edge + arm)]);
  context.lineDashOffset = arm;
  context.strokeRect(edge, edge, width - 2 * edge, height - 2 * edge);
  context.setLineDash([]);
}
