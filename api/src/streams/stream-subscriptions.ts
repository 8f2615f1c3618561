import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Rules } from '@lastframe/shared/cameras/rules';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { CameraFeed, CameraUpdate, SendUpdate } from './camera-feed.ts';
import type { Target } from './stream-targets.ts';

/** The cameras that one stream shows, as long as it may. */
export interface StreamSubscriptions {
  /** Lets go of those whose signatures have expired. */
  dropExpired(): void;
  applyRules(rules: Rules): void;
  leaveAll(): void;
}

export interface SubscriptionDeps {
  clock: Pick<Clock, 'monoMs'>;
  live: Pick<CameraFeed, 'subscribe'>;
  rules: Rules;
  /** How long it is until the viewer may ask for a camera that has no frame. */
  waitMs: (cameraId: string) => number;
  send: (target: Target, camera: Camera, news: CameraUpdate, held: HeldFrame | undefined) => void;
  /** The stream shows the camera no longer. */
  dropped: (target: Target, problem: Problem, left: number) => void;
}

interface Subscription {
  target: Target;
  camera: Camera;
  untilMonoMs: number;
  leave: () => void;
}

/** @throws ProblemError when one of them is not allowed; then none is watched */
export function subscribeToTargets(
  targets: readonly Target[],
  deps: SubscriptionDeps,
): StreamSubscriptions {
  const cameras = targets.map((target) => ({ target, camera: target.find(deps.rules) }));
  const openedMonoMs = deps.clock.monoMs();
  const all = new Set<Subscription>();
  for (const { target, camera } of cameras) {
    const { leftMs = Number.POSITIVE_INFINITY } = target;
    const leave = watch(target, camera, deps);
    all.add({ target, camera, untilMonoMs: openedMonoMs + leftMs, leave });
  }
  const drop = (one: Subscription, problem: Problem) => {
    all.delete(one);
    one.leave();
    deps.dropped(one.target, problem, all.size);
  };
  return {
    dropExpired: () => {
      const nowMonoMs = deps.clock.monoMs();
      for (const one of all) if (nowMonoMs >= one.untilMonoMs) drop(one, EXPIRED);
    },
    applyRules: (rules) => {
      for (const one of all) {
        try {
          const camera = one.target.find(rules);
          const { leave } = one;
          // First in, then out, so that a camera which stays is never without a viewer.
          const isSame = camera.cameraId === one.camera.cameraId;
          Object.assign(one, { camera, leave: watch(one.target, camera, deps, !isSame) });
          leave();
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          drop(one, error.problem);
        }
      }
    },
    leaveAll: () => {
      for (const { leave } of all) leave();
      all.clear();
    },
  };
}

const EXPIRED: Problem = {
  status: 403,
  code: 'expired-signature',
  detail: 'the signature of this url has expired',
};

/** @param tellsState whether the viewer wants to know how the camera is, not only what is new */
function watch(
  target: Target,
  camera: Camera,
  { live, send: tell, waitMs }: SubscriptionDeps,
  tellsState = true,
): () => void {
  let isOpen = tellsState;
  const tellIfOpen: SendUpdate = (news, held) => isOpen && tell(target, camera, news, held);
  const leave = live.subscribe(camera, tellIfOpen, waitMs);
  isOpen = true;
  return leave;
}
