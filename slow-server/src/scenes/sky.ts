import { cssColour } from '../picture/mood.ts';
import type { Stage } from '../picture/stage.ts';

/** Paints the sky, light, stars and drifting clouds. */
export function paintSky(stage: Stage): void {
  const { context, width, height, style } = stage;
  const gradient = context.createLinearGradient(0, 0, 0, height * 0.72);
  style.mood.sky.forEach((colour, i) => {
    gradient.addColorStop(i / 2, cssColour(colour));
  });
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
  if (style.mood.light === 'moon') paintStars(stage);
  if (style.mood.light !== 'none') paintLight(stage);
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

function paintLight({ context, width, height, style }: Stage): void {
  const random = style.random();
  const x = width * (0.2 + random() * 0.6);
  const y = height * (style.mood.light === 'sun' ? 0.2 + random() * 0.24 : 0.14 + random() * 0.14);
  const radius = height * (style.mood.light === 'sun' ? 0.062 : 0.046);
  const glow = context.createRadialGradient(x, y, radius * 0.6, x, y, radius * 6);
  glow.addColorStop(0, style.mood.lightColour);
  glow.addColorStop(1, `${style.mood.lightColour}00`);
  context.globalAlpha = 0.45;
  context.fillStyle = glow;
  context.fillRect(x - radius * 6, y - radius * 6, radius * 12, radius * 12);
  context.globalAlpha = 1;
  context.fillStyle = style.mood.lightColour;
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.fill();
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
    for (let puff = 0; puff < 5; puff++) {
      const offset = (puff / 4 - 0.5) * span;
      const radius = span * (0.1 + 0.1 * Math.sin((puff / 4) * Math.PI)) * (0.8 + random() * 0.4);
      context.ellipse(
        x + offset,
        y - radius * 0.35,
        radius * 1.5,
        radius * 0.75,
        0,
        0,
        Math.PI * 2,
      );
    }
    context.fill();
  }
  context.globalAlpha = 1;
}
