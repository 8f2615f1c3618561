import { cssColour, landColour } from '../picture/mood.ts';
import type { Stage } from '../picture/stage.ts';

const HORIZON = 0.56;

/** Paints a headland with a lighthouse, the sea with its waves, and passing boats. */
export function paintCoast(stage: Stage): void {
  const random = stage.style.random();
  paintHeadland(stage, random);
  paintSea(stage);
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
function paintLighthouse({ context, height, timeS, style }: Stage, x: number, foot: number): void {
  const unit = height / 720;
  for (let band = 0; band < 5; band++) {
    context.fillStyle = band % 2 === 0 ? '#f3efe8' : '#c94a44';
    const half = (13 - band * 1.3) * unit;
    context.fillRect(x - half, foot - (band + 1) * 19 * unit, half * 2, 19.5 * unit);
  }
  const lampY = foot - 103 * unit;
  context.fillStyle = '#2b2f36';
  context.fillRect(x - 8 * unit, lampY - 7 * unit, 16 * unit, 15 * unit);
  context.fillStyle = '#fff3b8';
  context.fillRect(x - 5 * unit, lampY - 4 * unit, 10 * unit, 10 * unit);
  if (!style.mood.lit) return;
  const sweep = Math.cos((timeS / 4) * Math.PI * 2);
  context.globalAlpha = 0.14 + 0.2 * Math.abs(sweep);
  context.beginPath();
  context.moveTo(x, lampY);
  context.lineTo(x + sweep * 620 * unit, lampY - 46 * unit);
  context.lineTo(x + sweep * 620 * unit, lampY + 46 * unit);
  context.fill();
  context.globalAlpha = 1;
}

function paintSea({ context, width, height, style }: Stage): void {
  const gradient = context.createLinearGradient(0, height * HORIZON, 0, height);
  gradient.addColorStop(0, cssColour(style.mood.sky[1]));
  gradient.addColorStop(0.35, cssColour(style.mood.sky[0]));
  gradient.addColorStop(1, landColour({ ...style.mood, far: [205, 50, 30] }, 0.85));
  context.fillStyle = gradient;
  context.fillRect(0, height * HORIZON, width, height * (1 - HORIZON));
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
  const { context, width, height, style, timeS } = stage;
  for (let i = 0; i < 3; i++) {
    const unit = (height / 720) * (0.7 + i * 0.55);
    const run =
      (timeS * width * (0.008 + random() * 0.01) + random() * width * 1.2) % (width * 1.2);
    const x = (i === 1 ? width * 1.2 - run : run) - width * 0.1;
    const y = height * (HORIZON + 0.03 + i * 0.075) + Math.sin(timeS * 1.5 + i) * 2 * unit;
    context.fillStyle = i === 1 ? '#e9e4da' : style.accent;
    context.beginPath();
    context.moveTo(x, y - 74 * unit);
    context.lineTo(x + 42 * unit, y - 8 * unit);
    context.lineTo(x, y - 8 * unit);
    context.moveTo(x - 5 * unit, y - 62 * unit);
    context.lineTo(x - 5 * unit, y - 8 * unit);
    context.lineTo(x - 27 * unit, y - 8 * unit);
    context.fill();
    context.fillStyle = '#20262f';
    context.beginPath();
    context.moveTo(x - 40 * unit, y - 5 * unit);
    context.lineTo(x + 46 * unit, y - 5 * unit);
    context.lineTo(x + 30 * unit, y + 9 * unit);
    context.lineTo(x - 30 * unit, y + 9 * unit);
    context.fill();
  }
}

function paintPier({ context, width, height, style }: Stage, random: () => number): void {
  const unit = height / 720;
  const end = width * (0.3 + random() * 0.25);
  context.fillStyle = landColour(style.mood, 1);
  context.fillRect(0, height * 0.85, end, 11 * unit);
  for (let x = end - 16 * unit; x > 0; x -= 58 * unit) {
    context.fillRect(x, height * 0.82, 7 * unit, height * 0.18);
  }
}
