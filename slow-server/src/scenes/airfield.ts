import { landColour } from '../picture/mood.ts';
import { circle, fillBand, fillLand, paintFigure } from '../picture/paint.ts';
import type { Stage } from '../picture/stage.ts';

const HORIZON = 0.58;

const TOWER = 'M-109-40H109V0H-109ZM-12-138H12V0H-12ZM-22-138L-32-168H32L22-138ZM-2-205H1V-165H-2Z';
const TOWER_WINDOWS = [
  'M-27-163H27V-149H-27Z',
  ...Array.from({ length: 9 }, (_, n) => `M${n * 23 - 98}-28h12v9h-12z`),
].join('');

const PLANE = `${circle(0, 0, 13)}M-96-4L0 4L96-4L0 11ZM-2-38H2V-8H-2ZM-26-17H26V-13H-26Z`;
const ENGINES = circle(-38, 9, 7) + circle(38, 9, 7);
const PLANE_LIGHTS = [-96, -14, 14, 96].map((x) => circle(x, -2, 3.4)).join('');

/** Paints a runway to the horizon, its lights, a tower and a plane on approach. */
export function paintAirfield(stage: Stage): void {
  const { width, height, style } = stage;
  const { mood } = style;
  const random = style.random();
  const vanishX = width * (0.38 + random() * 0.24);
  const phase = random() * 10;
  const waveAt = (n: number) => Math.sin(n * 0.31 + phase) + Math.sin(n * 0.13 + phase * 2);
  const hills = Array.from({ length: 41 }, (_, n) => HORIZON - 0.05 - waveAt(n) * 0.022);
  fillLand(stage, hills, landColour(mood, 0.18));
  const towerX = width * (vanishX < width / 2 ? 0.8 : 0.2);
  paintFigure(stage, { x: towerX, y: height * HORIZON + 2 }, [
    [landColour(mood, 0.62), TOWER],
    [mood.isLit ? '#ffe39a' : 'rgb(225 240 250 / 0.8)', TOWER_WINDOWS],
  ]);
  fillBand(stage, [HORIZON, 1], [landColour(mood, 0.5), landColour(mood, 0.92)]);
  paintRunway(stage, vanishX);
  paintLights(stage, vanishX);
  paintPlane(stage, vanishX);
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
  const fillStrip = (fromSide: number, toSide: number, near: number, far: number) => {
    context.beginPath();
    for (const [side, depth] of [
      [fromSide, near],
      [fromSide, far],
      [toSide, far],
      [toSide, near],
    ] as const) {
      const { x, y } = onGround(stage, vanishX, side, depth);
      context.lineTo(x, y);
    }
    context.fill();
  };
  context.fillStyle = style.mood.isLit ? '#1b2029' : '#4a4f57';
  fillStrip(-1, 1, -0.02, 1);
  context.fillStyle = style.mood.isLit ? 'rgb(235 238 245 / 0.65)' : '#f1f2ee';
  for (let i = 0; i < 9; i++) fillStrip(-0.018, 0.018, 0.02 + i * 0.1, 0.072 + i * 0.1);
  for (const side of [-0.86, -0.66, -0.46, -0.26, 0.16, 0.36, 0.56, 0.76])
    fillStrip(side, side + 0.1, 0.2, 0.3);
}

/** Paints the edge lights; a brighter one runs along them. */
function paintLights(stage: Stage, vanishX: number): void {
  const { style, timeS } = stage;
  const running = Math.floor(timeS * 10) % 20;
  for (let i = 0; i < 20; i++) {
    const isBright = i === running;
    const light = [isBright ? '#ffffff' : style.accent, circle(0, 0, isBright ? 9 : 6)] as const;
    for (const side of [-1.06, 1.06]) {
      const { scale, ...place } = onGround(stage, vanishX, side, i / 20);
      paintFigure(stage, { ...place, scale: scale ** 0.7 }, [light]);
    }
  }
}

/** Paints a plane that approaches head on, growing, in 24 s. */
function paintPlane(stage: Stage, vanishX: number): void {
  const { width, height, timeS, style } = stage;
  const progress = (timeS / 24) % 1;
  const scale = 0.35 + progress ** 2 * 1.5;
  const sway = Math.sin(timeS / 3) * 4 * scale * (height / 720);
  const x = vanishX + (width * 0.5 - vanishX) * progress + sway;
  const y = height * (HORIZON - 0.13 - progress * 0.2);
  paintFigure(stage, { x, y, scale }, [
    [style.mood.isLit ? '#c4cbd8' : '#f4f6f8', PLANE],
    ['#5b6472', ENGINES],
    ['#fff9dc', PLANE_LIGHTS],
  ]);
}
