import type { Camera } from '@lastframe/shared/camera';
import type { Rules, RulesNow } from '@lastframe/shared/rules';
import { LRUCache } from 'lru-cache';

/**
 * What the routes have found out: which camera a request target means on which `Host`, as they came
 * over the wire. The fast path looks up what it never has to understand.
 */
export interface KnownTargets {
  find(host: string, target: string): Camera | undefined;
  /** Only for a target whose camera will be the same until the rules change. */
  learn(host: string | undefined, target: string | undefined, camera: Camera): void;
  /** Changes whenever all is forgotten, so that who keeps what was found here can tell. */
  rules(): Rules;
}

/** Anybody can make up targets; a target and its camera take about twice its length. */
const MAX_TEXT = 8 * 1024 ** 2;

export function createKnownTargets(rulesNow: RulesNow): KnownTargets {
  const cameras = new LRUCache<string, Camera>({
    maxSize: MAX_TEXT,
    sizeCalculation: ({ url }, key) => key.length + url.length + 200,
  });
  let rules = rulesNow();
  const upToDate = () => {
    const now = rulesNow();
    if (now !== rules) cameras.clear();
    rules = now;
    return cameras;
  };
  return {
    find: (host, target) => upToDate().get(`${host} ${target}`),
    learn: (host, target, camera) => {
      if (host !== undefined && target !== undefined) upToDate().set(`${host} ${target}`, camera);
    },
    rules: rulesNow,
  };
}
