import type { Stage } from '../picture/stage.ts';
import type { SceneKind } from '../picture/style.ts';
import { paintAirfield } from './airfield.ts';
import { paintCity } from './city.ts';
import { paintCoast } from './coast.ts';
import { paintMountains } from './mountains.ts';
import { paintSky } from './sky.ts';

const PAINTERS: Record<SceneKind, (stage: Stage) => void> = {
  mountains: paintMountains,
  city: paintCity,
  coast: paintCoast,
  airfield: paintAirfield,
};

/** Paints what the camera sees, over the whole picture. */
export function paintScene(stage: Stage): void {
  const { context, width, style } = stage;
  context.save();
  if (style.mirrored) context.transform(-1, 0, 0, 1, width, 0);
  paintSky(stage);
  PAINTERS[style.kind](stage);
  context.restore();
}
