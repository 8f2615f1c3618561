import type { SceneKind } from '../look.ts';
import type { Stage } from '../stage.ts';
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
  const { context, width, look } = stage;
  context.save();
  if (look.mirrored) context.transform(-1, 0, 0, 1, width, 0);
  paintSky(stage);
  PAINTERS[look.kind](stage);
  context.restore();
}
