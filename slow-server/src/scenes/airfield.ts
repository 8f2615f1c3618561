import { landColour } from '../picture/mood.ts';
import type { Stage } from '../picture/stage.ts';

const HORIZON = 0.58;

/** Paints a runway to the horizon, its lights, a tower and a plane on approach. */
export function paintAirfield(stage: Stage): void {
  const random = stage.style.random();
  const vanishX = stage.width * (0.38 + random() * 0.24);
  paintHills(stage, random);
  paintTower(stage, stage.width * (vanishX < stage.width / 2 ? 0.8 : 0.2));
  paintGround(stage);
  paintRunway(stage, vanishX);
  paintLights(stage, vanishX);
  paintPlane(stage, vanishX);
}

function paintHills({ context, width, height, style }: Stage, random: () => number): void {
  const phase = random() * 10;
  context.fillStyle = landColour(style.mood, 0.18);
  context.beginPath();
  context.moveTo(0, height * HORIZON);
  for (let i = 0; i <= 40; i++) {
    const wave = Math.sin(i * 0.31 + phase) + Math.sin(i * 0.13 + phase * 2);
    context.lineTo((i / 40) * width, height * (HORIZON - 0.05 - wave * 0.022));
  }
  context.lineTo(width, height * HORIZON);
  context.fill();
}

function paintTower({ context, width, height, style }: Stage, x: number): void {
  const unit = height / 720;
  const ground = height * HORIZON + 2;
  context.fillStyle = landColour(style.mood, 0.62);
  context.fillRect(x - width * 0.085, ground - 40 * unit, width * 0.17, 40 * unit);
  context.fillRect(x - 12 * unit, ground - 138 * unit, 24 * unit, 138 * unit);
  context.beginPath();
  context.moveTo(x - 22 * unit, ground - 138 * unit);
  context.lineTo(x - 32 * unit, ground - 168 * unit);
  context.lineTo(x + 32 * unit, ground - 168 * unit);
  context.lineTo(x + 22 * unit, ground - 138 * unit);
  context.fill();
  context.fillRect(x - 2 * unit, ground - 205 * unit, 3 * unit, 40 * unit);
  context.fillStyle = style.mood.lit ? '#ffe39a' : 'rgb(225 240 250 / 0.8)';
  context.fillRect(x - 27 * unit, ground - 163 * unit, 54 * unit, 14 * unit);
  for (let i = 0; i < 9; i++) {
    context.fillRect(
      x - width * 0.078 + i * width * 0.0178,
      ground - 28 * unit,
      12 * unit,
      9 * unit,
    );
  }
}

function paintGround({ context, width, height, style }: Stage): void {
  const gradient = context.createLinearGradient(0, height * HORIZON, 0, height);
  gradient.addColorStop(0, landColour(style.mood, 0.5));
  gradient.addColorStop(1, landColour(style.mood, 0.92));
  context.fillStyle = gradient;
  context.fillRect(0, height * HORIZON, width, height * (1 - HORIZON));
}

/** `side` is −1 to 1 across the runway, `depth` 0 at the camera to 1 far away. */
function onGround({ width, height }: Stage, vanishX: number, side: number, depth: number) {
  const near = (1 - depth) ** 2.2;
  return {
    x: vanishX + (width * 0.5 - vanishX) * near + side * width * (0.012 + 0.4 * near),
    y: height * (HORIZON + 0.008 + (1 - HORIZON) * near),
    scale: 0.05 + 0.95 * near,
  };
}

function paintRunway(stage: Stage, vanishX: number): void {
  const { context, style } = stage;
  fillStrip(
    stage,
    vanishX,
    { from: -1, to: 1, near: -0.02, far: 1 },
    style.mood.lit ? '#1b2029' : '#4a4f57',
  );
  const paint = style.mood.lit ? 'rgb(235 238 245 / 0.65)' : '#f1f2ee';
  for (let i = 0; i < 9; i++) {
    const near = 0.02 + i * 0.1;
    fillStrip(stage, vanishX, { from: -0.018, to: 0.018, near, far: near + 0.052 }, paint);
  }
  for (let stripe = 0; stripe < 8; stripe++) {
    const from = -0.86 + stripe * 0.2 + (stripe > 3 ? 0.2 : 0);
    fillStrip(stage, vanishX, { from, to: from + 0.1, near: 0.2, far: 0.3 }, paint);
  }
  context.globalAlpha = 1;
}

interface Strip {
  from: number;
  to: number;
  near: number;
  far: number;
}

function fillStrip(stage: Stage, vanishX: number, { from, to, near, far }: Strip, colour: string) {
  const corners = [
    onGround(stage, vanishX, from, near),
    onGround(stage, vanishX, from, far),
    onGround(stage, vanishX, to, far),
    onGround(stage, vanishX, to, near),
  ];
  stage.context.fillStyle = colour;
  stage.context.beginPath();
  for (const { x, y } of corners) stage.context.lineTo(x, y);
  stage.context.fill();
}

/** Paints the edge lights; a brighter one runs along them. */
function paintLights(stage: Stage, vanishX: number): void {
  const { context, height, style, timeS } = stage;
  const running = Math.floor(timeS * 10) % 20;
  for (let i = 0; i < 20; i++) {
    const bright = i === running;
    for (const side of [-1.06, 1.06]) {
      const { x, y, scale } = onGround(stage, vanishX, side, i / 20);
      context.fillStyle = bright ? '#ffffff' : style.accent;
      context.globalAlpha = style.mood.lit || bright ? 1 : 0.75;
      context.beginPath();
      context.arc(x, y, (bright ? 9 : 6) * scale ** 0.7 * (height / 720), 0, Math.PI * 2);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** Paints a plane that approaches head on, growing, in 24 s. */
function paintPlane({ context, width, height, timeS, style }: Stage, vanishX: number): void {
  const progress = (timeS / 24) % 1;
  const unit = (height / 720) * (0.35 + progress ** 2 * 1.5);
  const x = vanishX + (width * 0.5 - vanishX) * progress + Math.sin(timeS / 3) * 4 * unit;
  const y = height * (HORIZON - 0.13 - progress * 0.2);
  context.fillStyle = style.mood.lit ? '#c4cbd8' : '#f4f6f8';
  context.beginPath();
  context.ellipse(x, y, 13 * unit, 13 * unit, 0, 0, Math.PI * 2);
  context.moveTo(x - 96 * unit, y - 4 * unit);
  context.lineTo(x, y + 11 * unit);
  context.lineTo(x + 96 * unit, y - 4 * unit);
  context.lineTo(x, y + 4 * unit);
  context.fill();
  context.fillRect(x - 2 * unit, y - 38 * unit, 4 * unit, 30 * unit);
  context.fillRect(x - 26 * unit, y - 17 * unit, 52 * unit, 3.5 * unit);
  context.fillStyle = '#5b6472';
  context.beginPath();
  for (const side of [-1, 1])
    context.ellipse(x + side * 38 * unit, y + 9 * unit, 7 * unit, 7 * unit, 0, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = '#fff9dc';
  for (const side of [-96, -14, 14, 96]) {
    context.beginPath();
    context.arc(x + side * unit, y - 2 * unit, 3.4 * unit, 0, Math.PI * 2);
    context.fill();
  }
}
