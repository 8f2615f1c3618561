import { cssColour, landColour } from '../picture/mood.ts';
import { fillBand, paintFigure, type Shape } from '../picture/paint.ts';
import type { Stage } from '../picture/stage.ts';

const HORIZON = 0.56;

const TOWER = [13, 11.7, 10.4, 9.1, 7.8].map((half, n): Shape => {
  const band = `M${-half} ${n * -19 - 19}h${2 * half}v19.5h${-2 * half}z`;
  return [n % 2 === 0 ? '#f3efe8' : '#c94a44', band];
});
const LAMP: readonly Shape[] = [
  ['#2b2f36', 'M-8-110H8V-95H-8Z'],
  ['#fff3b8', 'M-5-107H5V-97H-5Z'],
];
const SAILS = 'M0-74L42-8H0ZM-5-62V-8H-27Z';
const HULL = 'M-40-5H46L30 9H-30Z';

/** Paints a headland with a lighthouse, the sea with its waves, and passing boats. */
export function paintCoast(stage: Stage): void {
  const { sky, land } = stage.style.mood;
  const random = stage.style.random();
  paintHeadland(stage, random);
  const depth = landColour({ ...stage.style.mood, land: { ...land, far: [205, 50, 30] } }, 0.85);
  fillBand(stage, [HORIZON, 1], [cssColour(sky.middle), cssColour(sky.top), depth]);
  paintWaves(stage, random);
  paintBoats(stage, random);
  paintPier(stage, random);
}

function paintHeadland(stage: Stage, random: () => number): void {
  const { context, width, height, style } = stage;
  const fromLeft = random() < 0.5;
  const reach = width * (0.34 + random() * 0.2);
  const x = (part: number) => (fromLeft ? part * reach : width - part * reach);
  context.fillStyle = landColour(style.mood, 0.35);
  context.beginPath();
  context.moveTo(x(-0.1), height * HORIZON);
  context.bezierCurveTo(x(0.2), height * 0.36, x(0.5), height * 0.47, x(0.72), height * 0.49);
  context.quadraticCurveTo(x(0.9), height * 0.5, x(1), height * HORIZON);
  context.fill();
  paintLighthouse(stage, x(0.7), height * 0.5);
}

/** The lamp turns once in four seconds. */
function paintLighthouse(stage: Stage, x: number, y: number): void {
  const sweep = Math.cos((stage.timeS / 4) * Math.PI * 2);
  const brightness = 0.14 + 0.2 * Math.abs(sweep);
  const beam = [`rgb(255 243 184 / ${brightness})`, `M0-103L${620 * sweep}-149V-57Z`] as const;
  paintFigure(stage, { x, y }, [...TOWER, ...LAMP, ...(stage.style.mood.isLit ? [beam] : [])]);
}

function paintWaves({ context, width, height, timeS }: Stage, random: () => number): void {
  context.strokeStyle = '#ffffff';
  for (let i = 0; i < 110; i++) {
    const depth = random() ** 1.6;
    const y = height * (HORIZON + 0.012 + depth * 0.42);
    const length = width * (0.012 + depth * 0.06);
    const drift = timeS * width * (0.003 + depth * 0.012) + random() * width;
    const x = (drift % (width + length)) - length;
    context.globalAlpha = 0.1 + 0.16 * (1 + Math.sin(timeS * 1.3 + i)) * 0.7;
    context.lineWidth = (0.8 + depth * 2.4) * (height / 720);
    context.beginPath();
    context.moveTo(x, y);
    context.quadraticCurveTo(x + length / 2, y - length * 0.07, x + length, y);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function paintBoats(stage: Stage, random: () => number): void {
  const { width, height, style, timeS } = stage;
  for (let i = 0; i < 3; i++) {
    const speed = width * (0.008 + random() * 0.01);
    const run = (timeS * speed + random() * width * 1.2) % (width * 1.2);
    const x = (i === 1 ? width * 1.2 - run : run) - width * 0.1;
    const y = height * (HORIZON + 0.03 + i * 0.075 + Math.sin(timeS * 1.5 + i) * 0.003);
    paintFigure(stage, { x, y, scale: 0.7 + i * 0.55 }, [
      [i === 1 ? '#e9e4da' : style.accent, SAILS],
      ['#20262f', HULL],
    ]);
  }
}

function paintPier({ context, width, height, style }: Stage, random: () => number): void {
  const unit = height / 720;
  const end = width * (0.3 + random() * 0.25);
  context.fillStyle = landColour(style.mood, 1);
  context.fillRect(0, height * 0.85, end, 11 * unit);
  for (let x = end - 16 * unit; x > 0; x -= 58 * unit)
    context.fillRect(x, height * 0.82, 7 * unit, height * 0.18);
}
