import { landColour } from '../picture/mood.ts';
import { fillLand, paintFigure } from '../picture/paint.ts';
import type { Stage } from '../picture/stage.ts';

const LAYERS = 4;
const CABIN = 'M-1-1H1V14H12L17 19V31L12 36H-12L-17 31V19L-12 14H-1Z';
const CABIN_WINDOW = 'M-13 20H13V27H-13Z';
const FIR = 'M0-100L10-54H-10ZM0-76L15-30H-15ZM0-52L21-6H-21Z';

/** Paints ridge behind ridge, snow on the far ones, firs in front, and a moving cable car. */
export function paintMountains(stage: Stage): void {
  const { mood } = stage.style;
  const random = stage.style.random();
  for (let layer = 0; layer < LAYERS; layer++) {
    const nearness = layer / (LAYERS - 1);
    const ridge = ridgeLine(random, 0.38 + nearness * 0.34, 0.42 - nearness * 0.3);
    const hasSnow = layer < 2;
    if (hasSnow) fillLand(stage, ridge, mood.isLit ? 'rgb(205 218 240 / 0.55)' : '#f4f8fb');
    const land = hasSnow ? snowLine(ridge, layer) : ridge;
    fillLand(stage, land, landColour(mood, nearness * 0.8));
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

function paintCableCar(stage: Stage): void {
  const { context, width, height, timeS, style } = stage;
  const [fromY, toY] = [height * 0.34, height * 0.6];
  context.strokeStyle = 'rgb(0 0 0 / 0.45)';
  context.lineWidth = height * 0.002;
  context.beginPath();
  context.moveTo(0, fromY);
  context.lineTo(width, toY);
  context.stroke();
  const progress = (timeS / 40) % 1;
  paintFigure(stage, { x: progress * width, y: fromY + (toY - fromY) * progress }, [
    [style.accent, CABIN],
    [style.mood.isLit ? '#ffe9a8' : 'rgb(20 30 40 / 0.75)', CABIN_WINDOW],
  ]);
}

function paintFirs(stage: Stage, random: () => number): void {
  const { width, height, style } = stage;
  const colour = landColour(style.mood, 1);
  for (let i = 0; i < 46; i++) {
    const x = ((i + random() * 0.9) / 46) * width;
    const scale = 0.5 + random() * 0.94;
    paintFigure(stage, { x, y: height * (0.9 + random() * 0.1), scale }, [[colour, FIR]]);
  }
  fillLand(stage, [0.93, 0.93], colour);
}
