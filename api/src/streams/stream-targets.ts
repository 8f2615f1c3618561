import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type Rules } from '@lastframe/shared/cameras/rules';
import { ProblemError } from '@lastframe/shared/process/errors';
import { checkSignature } from '../access/signed-url.ts';

/** What a viewer called a camera: events name it so. */
export type Label = { camera: string } | { url: string };

/** A camera that a stream is to show. */
export interface Target {
  label: Label;
  /** @throws ProblemError when the rules don't allow it */
  find: (rules: Rules) => Camera;
  /** How much longer its signature holds; undefined for ever. */
  leftMs?: number | undefined;
}

/** As they stand in the query: the n-th `sig` and `exp` belong to the n-th `url`. */
export interface GivenTargets {
  camera: readonly string[];
  url: readonly string[];
  sig: readonly string[];
  exp: readonly string[];
}

/** Each is looked for in the frame store and watched; named cameras are the operator's own, and as many as he has. */
const MAX_URLS = 64;

/** @throws ProblemError 400 or 403 */
export function readTargets(
  given: GivenTargets,
  signing: { key: string; nowMs: number },
): Target[] {
  if (given.url.length + given.camera.length === 0) {
    const detail = 'neither url nor camera is given; say which camera to watch';
    throw new ProblemError({ status: 400, code: 'invalid-url', detail });
  }
  if (given.url.length > MAX_URLS) {
    const detail = `more than ${MAX_URLS} cameras are given by url; watch the others by another connection`;
    throw new ProblemError({ status: 400, code: 'too-many-urls', detail });
  }
  const lefts = checkSignatures(given, signing);
  const targets: Target[] = [
    ...given.camera.map((camera) => ({
      label: { camera },
      find: (rules: Rules) => findCameraByName(camera, rules),
    })),
    ...given.url.map((url, n) => ({
      label: { url },
      find: (rules: Rules) => findCameraByUrl(url, rules),
      leftMs: lefts[n],
    })),
  ];
  // Who names a camera twice sees it once.
  return [...new Map(targets.map((target) => [JSON.stringify(target.label), target])).values()];
}

function checkSignatures(
  { url: urls, sig: sigs, exp: exps }: GivenTargets,
  signing: { key: string; nowMs: number },
): (number | undefined)[] {
  if (signing.key === '') return [];
  if (sigs.length > urls.length || (exps.length > 0 && exps.length !== urls.length)) {
    const detail = 'give one sig for each url, in their order, and one exp for each or none at all';
    throw new ProblemError({ status: 403, code: 'bad-signature', detail });
  }
  return urls.map((url, n) => {
    const of = (all: readonly string[]) => all.slice(n, n + 1);
    const queries = (name: string) => of(name === 'sig' ? sigs : exps);
    return checkSignature(url, queries, signing);
  });
}
