import type { NamedCamera, Rules } from '@lastframe/shared/cameras/rules';
import type { Demand } from './demand.ts';
import type { Presence } from './presence.ts';

/**
 * Watches the `keepWarm` cameras for good, as if somebody had a stream of each open. Gives what to
 * call with the rules, at the start and whenever they change. No scheduler: a queue's goes by the
 * clocks of pods and dies with a `FLUSHALL`.
 */
export function createKeepWarm(deps: {
  viewers: Presence;
  demand: Pick<Demand, 'raise'>;
}): (rules: Rules) => void {
  let leave: (() => void)[] = [];
  return ({ cameras }) => {
    const before = leave;
    leave = [...cameras.values()]
      .filter(({ keepWarm }) => keepWarm)
      .map((named) => watch(named, deps));
    // Last, so that a camera which stays was never without a watcher.
    for (const step of before) step();
  };
}

function watch(
  { camera }: NamedCamera,
  { viewers, demand }: Parameters<typeof createKeepWarm>[0],
): () => void {
  const leave = viewers.enter(camera);
  demand.raise(camera);
  return leave;
}
