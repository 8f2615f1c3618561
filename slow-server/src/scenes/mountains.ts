import { landColour } from '../picture/mood.ts';
import type { Stage } from '../picture/stage.ts';

const SNOW = { day: '#f4f8fb', lit: 'rgb(205 218 240 / 0.55)' };

/** Paints ridge behind ridge, snow on the far ones, firs in front, and a moving cable car. */
export function paintMountains(stage: Stage): void {
  const random = stage.style.random();
  const layers = 4;
  for (let layer = 0; layer < layers; layer++) {
    const nearness = layer / (layers - 1);
    const ridge = ridgeLine(random, 0.38 + nearness * 0.34, 0.42 - nearness * 0.3);
    if (layer < 2) fillRidge(stage, ridge, SNOW[stage.style.mood.lit ? 'lit' : 'day']);
    const land = layer < 2 ? snowLine(ridge, layer) : ridge;
    fillRidge(stage, land, landColour(stage.style.mood, nearness * 0.8));
    if (layer === 1) paintCableCar(stage);
  }
  paintFirs(stage, random);
}

/** Returns heights from left to right as fractions of the picture's, by midpoint displacement. */
function ridgeLine(random: () => number, base: number, rough: number): number[] {
  let points = [base + (random() - 0.5) * rough, base + (random() - 0.5) * rough];
  for (let step = rough; points.length < 129; step *= 0.54) {
    points = points.flatMap((from, i) => {
      const to = points[i + 1];
      return to === undefined ? [from] : [from, (from + to) / 2 + (random() - 0.5) * step];
    });
  }
  return points;
}

/** Returns where the snow ends: deeper on higher ridges, with a jagged edge. */
function snowLine(ridge: readonly number[], layer: number): number[] {
  const jag = [0, 0.03, 0.008, 0.04, 0.016, 0.026];
  const foot = 0.46 + layer * 0.04;
  return ridge.map((y, i) => {
    const depth = Math.max(0, foot - y);
    return y + depth * 0.35 + Math.min(depth, jag[i % jag.length] ?? 0);
  });
}

function fillRidge({ context, width, height }: Stage, ridge: readonly number[], colour: string) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, height);
  ridge.forEach((y, i) => {
    context.lineTo((i / (ridge.length - 1)) * width, y * height);
  });
  context.lineTo(width, height);
  context.fill();
}

function paintCableCar({ context, width, height, timeS, style }: Stage): void {
  const unit = height / 720;
  const [fromY, toY] = [height * 0.34, height * 0.6];
  context.strokeStyle = 'rgb(0 0 0 / 0.45)';
  context.lineWidth = 1.5 * unit;
  context.beginPath();
  context.moveTo(0, fromY);
  context.lineTo(width, toY);
  context.stroke();
  const progress = (timeS / 40) % 1;
  const [x, y] = [progress * width, fromY + (toY - fromY) * progress];
  context.fillStyle = style.accent;
  context.fillRect(x - 1.5 * unit, y, 3 * unit, 14 * unit);
  context.beginPath();
  context.roundRect(x - 17 * unit, y + 13 * unit, 34 * unit, 23 * unit, 5 * unit);
  context.fill();
  context.fillStyle = style.mood.lit ? '#ffe9a8' : 'rgb(20 30 40 / 0.75)';
  context.fillRect(x - 13 * unit, y + 17 * unit, 26 * unit, 8 * unit);
}

function paintFirs({ context, width, height, style }: Stage, random: () => number): void {
  context.fillStyle = landColour(style.mood, 1);
  for (let i = 0; i < 46; i++) {
    const x = ((i + random() * 0.9) / 46) * width;
    const tall = height * (0.07 + random() * 0.13);
    const foot = height * (0.9 + random() * 0.1);
    context.beginPath();
    for (let tier = 0; tier < 3; tier++) {
      const top = foot - tall + (tall * tier) / 4.2;
      const half = tall * (0.1 + tier * 0.055);
      context.moveTo(x, top);
      context.lineTo(x + half, top + tall * 0.46);
      context.lineTo(x - half, top + tall * 0.46);
    }
    context.fill();
  }
  context.fillRect(0, height * 0.93, width, height * 0.07);
}
