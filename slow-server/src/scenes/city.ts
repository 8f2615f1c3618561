import { landColour } from '../picture/mood.ts';
import { circle, paintFigure } from '../picture/paint.ts';
import type { Stage } from '../picture/stage.ts';

const CAR = 'M-30 15V3L-19 0L-12-10H10L18 0L30 4V15Z';
const WHEELS = circle(-17, 15, 6) + circle(17, 15, 6);
const HEADLIGHT = 'M24 4H30V9H24Z';

/** Paints rows of houses with windows, and a street with traffic. */
export function paintCity(stage: Stage): void {
  const random = stage.style.random();
  paintRow(stage, random, { base: 0.66, nearness: 0.15, tall: 0.42, wide: 0.055 });
  paintRow(stage, random, { base: 0.69, nearness: 0.5, tall: 0.36, wide: 0.08 });
  paintRow(stage, random, { base: 0.72, nearness: 0.8, tall: 0.22, wide: 0.12 });
  paintStreet(stage);
}

interface Row {
  base: number;
  nearness: number;
  tall: number;
  wide: number;
}

function paintRow(stage: Stage, random: () => number, row: Row): void {
  const { context, width, height, style } = stage;
  let x = -random() * row.wide * width;
  while (x < width) {
    const houseWidth = width * row.wide * (0.6 + random() * 0.7);
    const houseHeight = height * row.tall * (0.35 + random() * 0.65);
    const top = height * row.base - houseHeight;
    context.fillStyle = landColour(style.mood, row.nearness + (random() - 0.5) * 0.1);
    context.fillRect(x, top, houseWidth + 1, houseHeight + height * 0.1);
    if (random() < 0.3)
      context.fillRect(x + houseWidth * 0.45, top - height * 0.05, height * 0.005, height * 0.05);
    paintWindows(stage, random, { x, top, width: houseWidth, height: houseHeight });
    x += houseWidth + width * random() * 0.006;
  }
}

interface House {
  x: number;
  top: number;
  width: number;
  height: number;
}

/** Each window switches at its own moment. Paints all dark ones, then all lit ones: two fills. */
function paintWindows(stage: Stage, random: () => number, house: House): void {
  const { context, style, timeS } = stage;
  const pitch = stage.height * 0.026;
  const columns = Math.floor((house.width - pitch * 0.5) / pitch);
  const rows = Math.floor((house.height - pitch * 0.4) / (pitch * 1.25));
  const phase = random() * 1000;
  const isLit = (i: number) =>
    Math.sin(Math.floor(timeS / 30 + i * 0.37 + phase) * 12.9898 + i * 78.233) > 0.25;
  for (const lit of [false, true]) {
    context.fillStyle = lit ? (style.mood.isLit ? '#ffdf8ed9' : '#ffffff4d') : '#00000029';
    context.beginPath();
    for (let i = 0; i < columns * rows; i++) {
      if (isLit(i) !== lit) continue;
      const x = house.x + pitch * (0.5 + (i % columns));
      const y = house.top + pitch * (0.6 + Math.floor(i / columns) * 1.25);
      context.rect(x, y, pitch * 0.5, pitch * 0.66);
    }
    context.fill();
  }
}

function paintStreet(stage: Stage): void {
  const { context, width, height, style, timeS } = stage;
  context.fillStyle = landColour(style.mood, 1);
  context.fillRect(0, height * 0.72, width, height * 0.28);
  context.fillStyle = 'rgb(255 255 255 / 0.08)';
  context.fillRect(0, height * 0.72, width, height * 0.004);
  const colours = [style.accent, '#d8dee6', '#e0574f', '#4f86d9', '#f0c24b', '#8d96a3'];
  for (const [i, colour] of colours.entries()) {
    const isMirrored = i < 3;
    const speed = width * (0.05 + i * 0.011);
    const run = (timeS * speed + i * width * 0.31) % (width * 1.2);
    const x = (isMirrored ? width * 1.2 - run : run) - width * 0.1;
    const y = height * (isMirrored ? 0.737 : 0.772);
    paintFigure(stage, { x, y, isMirrored }, [
      [colour, CAR],
      ['#10141a', WHEELS],
      ['#fff6cf', HEADLIGHT],
    ]);
  }
}
