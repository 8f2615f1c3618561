import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Rules } from '@lastframe/shared/cameras/rules';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { CameraFeed, CameraUpdate, SendUpdate } from './camera-feed.ts';
import type { Target } from './stream-targets.ts';

/** The cameras of one stream; each is dropped when the stream may no longer show it. */
export interface StreamSubscriptions {
  /** Drops cameras whose signatures have expired. */
  dropExpired(): void;
  applyRules(rules: Rules): void;
  leaveAll(): void;
}

export interface SubscriptionDeps {
  clock: Pick<Clock, 'monoMs'>;
  cameraFeed: Pick<CameraFeed, 'subscribe'>;
  rules: Rules;
  /** Returns the time until the viewer may request a camera that has no frame. */
  newCameraWaitMs: (cameraId: string) => number;
  send: (target: Target, camera: Camera, update: CameraUpdate, held: HeldFrame | undefined) => void;
  /** Called when the stream no longer shows a camera; `left` others remain. */
  onDropped: (target: Target, problem: Problem, left: number) => void;
}

interface Subscription {
  target: Target;
  camera: Camera;
  untilMonoMs: number;
  leave: () => void;
}

/** @throws ProblemError if one of the cameras is not allowed; then none is subscribed to */
export function subscribeToTargets(
  targets: readonly Target[],
  deps: SubscriptionDeps,
): StreamSubscriptions {
  const cameras = targets.map((target) => ({ target, camera: target.find(deps.rules) }));
  const openedMonoMs = deps.clock.monoMs();
  const all = new Set<Subscription>();
  for (const { target, camera } of cameras) {
    const { leftMs = Number.POSITIVE_INFINITY } = target;
    const leave = subscribeTo(target, camera, deps);
    all.add({ target, camera, untilMonoMs: openedMonoMs + leftMs, leave });
  }
  const drop = (one: Subscription, problem: Problem) => {
    all.delete(one);
    one.leave();
    deps.onDropped(one.target, problem, all.size);
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
          // Subscribes before it leaves, so that the camera is never without a viewer.
          const isSame = camera.cameraId === one.camera.cameraId;
          Object.assign(one, { camera, leave: subscribeTo(one.target, camera, deps, !isSame) });
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

/** @param sendsState whether to send the current state too, not only changes */
function subscribeTo(
  target: Target,
  camera: Camera,
  { cameraFeed, send, newCameraWaitMs }: SubscriptionDeps,
  sendsState = true,
): () => void {
  let isOpen = sendsState;
  const sendIfOpen: SendUpdate = (update, held) => isOpen && send(target, camera, update, held);
  const leave = cameraFeed.subscribe(camera, sendIfOpen, newCameraWaitMs);
  isOpen = true;
  return leave;
}
