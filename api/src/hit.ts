import type { Camera } from '@lastframe/shared/camera';
import { LRUCache } from 'lru-cache';
import { isNotModified } from './conditional.ts';
import type { KnownTargets } from './known-targets.ts';
import { frameInMemory, type LastFrameDeps } from './last-frame.ts';
import type { HeldFrame } from './memory-cache.ts';
import { recognise } from './plain-request.ts';
import type { ReadyHead, ReadyHeads } from './ready-heads.ts';

/** An answer to a plain request, ready to be sent. */
export interface Hit {
  head: ReadyHead;
  /** Undefined where the answer is its head. */
  body: Buffer | undefined;
  held: HeldFrame;
}

/** The answer to what came over the wire, if it is a plain request for a frame in memory. */
export type FindHit = (chunk: Buffer) => Hit | undefined;

export interface HitDeps extends Pick<LastFrameDeps, 'clock' | 'memory' | 'demand'> {
  knownTargets: KnownTargets;
  readyHeads: ReadyHeads;
}

/** What a head means; it means that for ever, or until the rules change. */
interface Meaning {
  camera: Camera;
  isHead: boolean;
  ifNoneMatch: string | undefined;
}

/** Heads that are remembered; each viewer sends the same one again until it has another frame. */
const MAX_TEXT = 16 * 1024 ** 2;

export function createHit(deps: HitDeps): FindHit {
  const { knownTargets, readyHeads, clock } = deps;
  const meanings = new LRUCache<string, Meaning>({
    maxSize: MAX_TEXT,
    sizeCalculation: (_, head) => head.length + 200,
  });
  let rules = knownTargets.rules();

  const meaningOf = (chunk: Buffer): Meaning | undefined => {
    const now = knownTargets.rules();
    if (now !== rules) meanings.clear();
    rules = now;
    const text = chunk.toString('latin1');
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

  return (chunk) => {
    const meaning = meaningOf(chunk);
    const held = meaning && frameInMemory(meaning.camera, deps);
    if (!held) return undefined;
    const { isHead, ifNoneMatch } = meaning;
    const hasIt = ifNoneMatch !== undefined && isSame(ifNoneMatch, held);
    const head = readyHeads.of(held, clock.monoMs(), hasIt);
    return { head, body: hasIt || isHead ? undefined : held.bytes, held };
  };
}

/** What a browser sends is the tag as it was given; the rest is for who knows the rules. */
function isSame(ifNoneMatch: string, held: HeldFrame): boolean {
  if (ifNoneMatch === held.etag) return true;
  return isNotModified({ ifNoneMatch, ifModifiedSince: undefined }, held);
}
