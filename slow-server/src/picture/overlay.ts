import type { SKRSContext2D } from '@napi-rs/canvas';
import { MONO, SANS } from './fonts.ts';
import type { Capture, Stage } from './stage.ts';

/** Distance from the sides of a picture 1280 wide, clear of the corner marks. */
const MARGIN = 66;

/** Paints the name, time and numbers over the scene, as real cameras do. */
export function paintOverlay(stage: Stage, capture: Capture): void {
  const { context, width, height } = stage;
  const unit = Math.min(width / 1280, height / 720);
  paintShade(stage);
  paintCorners(stage, unit);
  paintColourStrip(stage, unit);
  const edge = MARGIN * unit;
  const text = { context, unit };
  const clock = clockText(capture.atMs);
  context.textBaseline = 'alphabetic';
  context.textAlign = 'right';
  context.fillStyle = stage.style.accent;
  const clockWidth = write(
    text,
    { text: clock, font: MONO, size: 66 },
    width - edge,
    height - 82 * unit,
  );
  context.textAlign = 'left';
  context.fillStyle = '#ffffff';
  const room = width - edge * 2 - clockWidth - 40 * unit;
  write(text, { text: capture.name, font: SANS, size: 66 }, edge, height - 82 * unit, room);
  context.fillStyle = 'rgb(255 255 255 / 0.8)';
  write(text, { text: dateText(capture.atMs), font: SANS, size: 28 }, edge, height - 40 * unit);
  context.textAlign = 'right';
  const numbers = `call ${capture.cameraNumber} of this camera, ${capture.number} of all`;
  write(text, { text: numbers, font: SANS, size: 28 }, width - edge, height - 40 * unit);
}

/** Returns a time like `17:36:05.4`, in UTC so that pictures of any servers compare. */
export function clockText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 21);
}

function dateText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 10)} UTC, simulated camera`;
}

interface Pen {
  context: SKRSContext2D;
  unit: number;
}

interface Words {
  text: string;
  font: string;
  size: number;
}

/** Writes text, smaller if it exceeds `room`, and returns its width. */
function write(
  { context, unit }: Pen,
  words: Words,
  x: number,
  y: number,
  room = Infinity,
): number {
  context.font = `${words.size * unit}px ${words.font}`;
  let { width } = context.measureText(words.text);
  if (width > room) {
    context.font = `${words.size * unit * Math.max(room / width, 0.4)}px ${words.font}`;
    width = room;
  }
  if (room === Infinity) context.fillText(words.text, x, y);
  else context.fillText(words.text, x, y, room);
  return width;
}

/** Darkens the foot, so that white text is legible on any scene. */
function paintShade({ context, width, height }: Stage): void {
  const shade = context.createLinearGradient(0, height * 0.7, 0, height);
  shade.addColorStop(0, 'rgb(0 0 0 / 0)');
  shade.addColorStop(0.5, 'rgb(0 0 0 / 0.5)');
  shade.addColorStop(1, 'rgb(0 0 0 / 0.82)');
  context.fillStyle = shade;
  context.fillRect(0, height * 0.7, width, height * 0.3);
}

function paintCorners({ context, width, height }: Stage, unit: number): void {
  const [edge, arm] = [24 * unit, 34 * unit];
  context.strokeStyle = 'rgb(255 255 255 / 0.7)';
  context.lineWidth = 3 * unit;
  context.beginPath();
  for (const [x, inX] of [
    [edge, 1],
    [width - edge, -1],
  ] as const) {
    for (const [y, inY] of [
      [edge, 1],
      [height - edge, -1],
    ] as const) {
      context.moveTo(x + arm * inX, y);
      context.lineTo(x, y);
      context.lineTo(x, y + arm * inY);
    }
  }
  context.stroke();
}

/** Paints the bars of a test card, which show whether a viewer or a proxy changes colours. */
function paintColourStrip({ context, width, style }: Stage, unit: number): void {
  const bars = ['#ffffff', '#ffff00', '#00ffff', '#00ff00', '#ff00ff', '#ff0000', '#0000ff'];
  const bar = 22 * unit;
  const left = width - MARGIN * unit - bar * (bars.length + 1);
  [style.accent, ...bars].forEach((colour, i) => {
    context.fillStyle = colour;
    context.globalAlpha = i === 0 ? 1 : 0.85;
    context.fillRect(left + i * bar, 56 * unit, bar + 0.5, 14 * unit);
  });
  context.globalAlpha = 1;
}
