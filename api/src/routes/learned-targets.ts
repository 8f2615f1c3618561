import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Rules, RulesNow } from '@lastframe/shared/cameras/rules';
import { LRUCache } from 'lru-cache';

/**
 * What the routes have learned: which camera a request target means on a `Host`, both as received.
 * The fast path looks this up, so it need not understand routes, base path, queries, signatures,
 * sources and names.
 */
export interface LearnedTargets {
  find(host: string, target: string): Camera | undefined;
  /** Call only for a target that means this camera until the rules change. */
  learn(host: string | undefined, target: string | undefined, camera: Camera): void;
}

/** In characters. Limited, because anyone can make up targets. */
const MAX_LENGTH = 8 * 1024 ** 2;
const OVERHEAD = 512;

export function createLearnedTargets(rulesNow: RulesNow): LearnedTargets {
  const cameras = new LRUCache<string, Camera>({
    maxSize: MAX_LENGTH,
    sizeCalculation: ({ url }, key) => key.length + url.length + OVERHEAD,
  });
  let rules: Rules | undefined;
  const camerasOfCurrentRules = () => {
    const now = rulesNow();
    if (now !== rules) cameras.clear();
    rules = now;
    return cameras;
  };
  return {
    find: (host, target) => camerasOfCurrentRules().get(keyOf(host, target)),
    learn: (host, target, camera) => {
      if (host === undefined || target === undefined) return;
      camerasOfCurrentRules().set(keyOf(host, target), camera);
    },
  };
}

/** Neither part can contain a line break. */
function keyOf(host: string, target: string): string {
  return `${host}\n${target}`;
}
