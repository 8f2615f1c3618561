import type { NamedCamera, Rules } from '@lastframe/shared/cameras/rules';
import type { Demand } from './demand.ts';
import type { Presence } from './presence.ts';

/**
 * Keeps `keepWarm` cameras watched, as if each had an open stream. Returns a function to call with
 * the rules on startup and whenever they change. The queue's own scheduler is not an option: it
 * relies on the clocks of pods and is lost in a `FLUSHALL`.
 */
export function createKeepWarm(deps: {
  presence: Presence;
  demand: Pick<Demand, 'raise'>;
}): (rules: Rules) => void {
  let leave: (() => void)[] = [];
  return ({ cameras }) => {
    const before = leave;
    leave = [...cameras.values()]
      .filter(({ keepWarm }) => keepWarm)
      .map((named) => watch(named, deps));
    // Last, so that a camera that stays is never unwatched.
    for (const leaveOne of before) leaveOne();
  };
}

function watch(
  { camera }: NamedCamera,
  { presence, demand }: Parameters<typeof createKeepWarm>[0],
): () => void {
  const leave = presence.enter(camera);
  demand.raise(camera);
  return leave;
}
