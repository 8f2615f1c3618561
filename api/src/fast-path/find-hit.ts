import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Rules, RulesNow } from '@lastframe/shared/cameras/rules';
import { LRUCache } from 'lru-cache';
import { isNotModified } from '../answer/conditional.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { frameInMemory, type LookupDeps } from '../lookup/frame-lookup.ts';
import type { LearnedTargets } from '../routes/learned-targets.ts';
import { recognise } from './plain-request.ts';
import type { PreparedHead, PreparedHeads } from './prepared-heads.ts';

/** An answer from memory, ready to be sent. */
export interface Hit {
  head: PreparedHead;
  /** Undefined where the head is all of it. */
  body: Buffer | undefined;
}

/**
 * The answer to what came over the wire, if that is one plain request for a frame in memory. Raises
 * demand and counts as asked for, as the routes do.
 */
export type FindHit = (text: string) => Hit | undefined;

export interface HitDeps extends Pick<LookupDeps, 'clock' | 'memory' | 'demand'> {
  rules: RulesNow;
  knownTargets: Pick<LearnedTargets, 'find'>;
  readyHeads: PreparedHeads;
  /** Told of every hit: for metrics and the request log. Must cost next to nothing. */
  onServed?: ((served: Served) => void) | undefined;
}

export interface Served {
  status: number;
  held: HeldFrame;
}

/** What the text of a request means, until the rules change. */
interface Meaning {
  camera: Camera;
  isHead: boolean;
  ifNoneMatch: string | undefined;
}

/** Characters of requests that are remembered: viewers send the same one again and again. */
const MAX_REMEMBERED = 8 * 1024 ** 2;
const OVERHEAD = 256;

export function createFindHit(deps: HitDeps): FindHit {
  const { knownTargets, readyHeads, onServed } = deps;
  const meanings = new LRUCache<string, Meaning>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, text) => text.length + OVERHEAD,
  });
  let rules: Rules | undefined;
  const meaningOf = (text: string): Meaning | undefined => {
    const rulesNow = deps.rules();
    if (rulesNow !== rules) meanings.clear();
    rules = rulesNow;
    const remembered = meanings.get(text);
    if (remembered) return remembered;
    const request = recognise(text);
    const camera = request && knownTargets.find(request.host, request.target);
    if (!camera) return undefined;
    const { isHead, ifNoneMatch } = request;
    const meaning = { camera, isHead, ifNoneMatch };
    meanings.set(text, meaning);
    return meaning;
  };
  return (text) => {
    const meaning = meaningOf(text);
    const held = meaning && frameInMemory(meaning.camera, deps);
    if (!held) return undefined;
    const hasIt = viewerHas(held, meaning.ifNoneMatch);
    const head = readyHeads.of(held, hasIt);
    onServed?.({ status: head.status, held });
    return { head, body: hasIt || meaning.isHead ? undefined : held.bytes };
  };
}

function viewerHas(held: HeldFrame, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  // What browsers send, before the look at lists and weak tags.
  if (ifNoneMatch === held.etag) return true;
  return isNotModified({ ifNoneMatch, ifModifiedSince: undefined }, held);
}
