import { cssColour } from '../picture/mood.ts';
import { circle, fillBand, paintFigure } from '../picture/paint.ts';
import type { Stage } from '../picture/stage.ts';

/** Paints the sky, light, stars and drifting clouds. */
export function paintSky(stage: Stage): void {
  const { sky, light } = stage.style.mood;
  fillBand(stage, [0, 1], [sky.top, sky.middle, sky.horizon, sky.horizon].map(cssColour));
  if (light.kind === 'moon') paintStars(stage);
  if (light.kind !== 'none') paintLight(stage);
  paintClouds(stage);
}

function paintStars({ context, width, height, style }: Stage): void {
  const random = style.random();
  context.fillStyle = '#fff';
  for (let i = 0; i < 90; i++) {
    context.globalAlpha = 0.2 + random() * 0.6;
    const size = (1 + random() * 1.6) * (height / 720);
    context.fillRect(random() * width, random() * height * 0.5, size, size);
  }
  context.globalAlpha = 1;
}

function paintLight(stage: Stage): void {
  const { context, width, height, style } = stage;
  const { kind, colour } = style.mood.light;
  const random = style.random();
  const x = width * (0.2 + random() * 0.6);
  const y = height * (kind === 'sun' ? 0.2 + random() * 0.24 : 0.14 + random() * 0.14);
  const radius = kind === 'sun' ? 45 : 33;
  const glow = height * (radius / 120);
  const gradient = context.createRadialGradient(x, y, glow * 0.1, x, y, glow);
  gradient.addColorStop(0, `${colour}73`);
  gradient.addColorStop(1, `${colour}00`);
  context.fillStyle = gradient;
  context.fillRect(x - glow, y - glow, glow * 2, glow * 2);
  paintFigure(stage, { x, y }, [[colour, circle(0, 0, radius)]]);
}

function paintClouds({ context, width, height, style, timeS }: Stage): void {
  const random = style.random();
  context.fillStyle = style.mood.cloudColour;
  for (let i = 0; i < 6; i++) {
    const span = width * (0.12 + random() * 0.16);
    const speed = width * (0.004 + random() * 0.006);
    const travel = width + span * 2;
    const x = ((random() * travel + timeS * speed) % travel) - span;
    const y = height * (0.07 + random() * 0.3);
    context.globalAlpha = 0.18 + random() * 0.3;
    context.beginPath();
    for (let puff = -2; puff <= 2; puff++) {
      const radius = span * (0.2 - 0.025 * puff ** 2) * (0.8 + random() * 0.4);
      const middle = [x + (puff / 4) * span, y - radius * 0.35] as const;
      context.ellipse(...middle, radius * 1.5, radius * 0.75, 0, 0, Math.PI * 2);
    }
    context.fill();
  }
  context.globalAlpha = 1;
}
