import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Rules, RulesNow } from '@lastframe/shared/cameras/rules';
import { LRUCache } from 'lru-cache';
import { isNotModified } from '../answer/conditional.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { type LookupDeps, serveFromMemory } from '../lookup/frame-lookup.ts';
import type { LearnedTargets } from '../routes/learned-targets.ts';
import { matchPlainRequest } from './plain-request.ts';
import type { PreparedHead, PreparedHeads } from './prepared-heads.ts';

/** A response from memory, ready to send. */
export interface Hit {
  head: PreparedHead;
  /** Undefined when the head is the whole response. */
  body: Buffer | undefined;
}

/**
 * Returns the response to received text that is one plain request for a frame in memory. Like the
 * routes, raises demand and records that the frame was requested.
 */
export type FindHit = (text: string) => Hit | undefined;

export interface HitDeps extends Pick<LookupDeps, 'clock' | 'memory' | 'demand'> {
  rules: RulesNow;
  learnedTargets: Pick<LearnedTargets, 'find'>;
  preparedHeads: PreparedHeads;
  /** Called for every hit, for metrics and the request log. Must be cheap. */
  onHit?: ((served: ServedHit) => void) | undefined;
}

export interface ServedHit {
  status: number;
  held: HeldFrame;
}

/** What the text of a request means until the rules change. */
interface Meaning {
  camera: Camera;
  isHead: boolean;
  ifNoneMatch: string | undefined;
}

/** In characters of requests. Clients send the same one again and again. */
const MAX_REMEMBERED = 8 * 1024 ** 2;
const OVERHEAD = 256;

export function createFindHit(deps: HitDeps): FindHit {
  const { learnedTargets, preparedHeads, onHit } = deps;
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
    const request = matchPlainRequest(text);
    const camera = request && learnedTargets.find(request.host, request.target);
    if (!camera) return undefined;
    const { isHead, ifNoneMatch } = request;
    const meaning = { camera, isHead, ifNoneMatch };
    meanings.set(text, meaning);
    return meaning;
  };
  return (text) => {
    const meaning = meaningOf(text);
    const held = meaning && serveFromMemory(meaning.camera, deps);
    if (!held) return undefined;
    const hasIt = viewerHas(held, meaning.ifNoneMatch);
    const head = preparedHeads.of(held, hasIt);
    onHit?.({ status: head.status, held });
    return { head, body: hasIt || meaning.isHead ? undefined : held.bytes };
  };
}

/** Leaves errors to the routes, which have an error boundary. */
export function hitOrNone(findHit: FindHit, text: string): Hit | undefined {
  try {
    return findHit(text);
  } catch {
    return undefined;
  }
}

function viewerHas(held: HeldFrame, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  // A shortcut for what browsers send: no list, no weak tag.
  if (ifNoneMatch === held.etag) return true;
  return isNotModified({ ifNoneMatch, ifModifiedSince: undefined }, held);
}
