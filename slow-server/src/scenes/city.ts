import { landColour } from '../picture/mood.ts';
import type { Stage } from '../picture/stage.ts';

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
    context.fillStyle = lit ? (style.mood.lit ? '#ffdf8e' : '#ffffff') : '#000000';
    context.globalAlpha = lit ? (style.mood.lit ? 0.85 : 0.3) : 0.16;
    context.beginPath();
    for (let i = 0; i < columns * rows; i++) {
      if (isLit(i) !== lit) continue;
      const x = house.x + pitch * (0.5 + (i % columns));
      const y = house.top + pitch * (0.6 + Math.floor(i / columns) * 1.25);
      context.rect(x, y, pitch * 0.5, pitch * 0.66);
    }
    context.fill();
  }
  context.globalAlpha = 1;
}

function paintStreet({ context, width, height, style, timeS }: Stage): void {
  const unit = height / 720;
  context.fillStyle = landColour(style.mood, 1);
  context.fillRect(0, height * 0.72, width, height * 0.28);
  context.fillStyle = 'rgb(255 255 255 / 0.08)';
  context.fillRect(0, height * 0.72, width, 3 * unit);
  const colours = [style.accent, '#d8dee6', '#e0574f', '#4f86d9', '#f0c24b', '#8d96a3'];
  colours.forEach((colour, i) => {
    const away = i > 2;
    const speed = width * (0.05 + i * 0.011);
    const run = (timeS * speed + i * width * 0.31) % (width * 1.2);
    const x = (away ? run : width * 1.2 - run) - width * 0.1;
    paintCar(context, {
      x,
      y: height * (away ? 0.772 : 0.737),
      unit,
      colour,
      facing: away ? 1 : -1,
    });
  });
}

interface Car {
  x: number;
  y: number;
  unit: number;
  colour: string;
  facing: 1 | -1;
}

function paintCar(context: Stage['context'], { x, y, unit, colour, facing }: Car): void {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x - 30 * unit, y, 60 * unit, 15 * unit, 5 * unit);
  context.roundRect(x - 18 * unit, y - 10 * unit, 34 * unit, 14 * unit, 6 * unit);
  context.fill();
  context.fillStyle = '#10141a';
  context.beginPath();
  context.arc(x - 17 * unit, y + 15 * unit, 6 * unit, 0, Math.PI * 2);
  context.arc(x + 17 * unit, y + 15 * unit, 6 * unit, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = '#fff6cf';
  context.fillRect(x + facing * 27 * unit - 3 * unit, y + 4 * unit, 6 * unit, 5 * unit);
}
