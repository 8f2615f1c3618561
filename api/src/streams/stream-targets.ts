import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type Rules } from '@lastframe/shared/cameras/rules';
import { invalidUrl, ProblemError } from '@lastframe/shared/process/errors';
import { checkSignature } from '../access/signed-url.ts';

/** How a viewer identified a camera; events repeat it. */
export type Label = { camera: string } | { url: string };

/** A camera requested for a stream. */
export interface Target {
  label: Label;
  /** @throws ProblemError when the rules don't allow it */
  find: (rules: Rules) => Camera;
  /** Remaining lifetime of its signature; undefined if it does not expire. */
  leftMs?: number | undefined;
}

/** The parameters in the query: the n-th `sig` and `exp` belong to the n-th `url`. */
export interface GivenTargets {
  camera: readonly string[];
  url: readonly string[];
  sig: readonly string[];
  exp: readonly string[];
}

/** Each costs a read and a subscription. Named cameras are the operator's and need no limit. */
const MAX_URLS = 64;

/** @throws ProblemError 400 or 403 */
export function readTargets(
  given: GivenTargets,
  signing: { key: string; nowMs: number },
): Target[] {
  if (given.url.length + given.camera.length === 0) {
    throw invalidUrl('url or camera is required');
  }
  if (given.url.length > MAX_URLS) {
    const detail = `more than ${MAX_URLS} cameras given by url; open another connection for the rest`;
    throw new ProblemError({ status: 400, code: 'too-many-urls', detail });
  }
  const lifetimesMs = checkSignatures(given, signing);
  const targets: Target[] = [
    ...given.camera.map((camera) => ({
      label: { camera },
      find: (rules: Rules) => findCameraByName(camera, rules),
    })),
    ...given.url.map((url, n) => ({
      label: { url },
      find: (rules: Rules) => findCameraByUrl(url, rules),
      leftMs: lifetimesMs[n],
    })),
  ];
  // A camera given twice is shown once.
  return [...new Map(targets.map((target) => [JSON.stringify(target.label), target])).values()];
}

function checkSignatures(
  { url: urls, sig: sigs, exp: exps }: GivenTargets,
  signing: { key: string; nowMs: number },
): (number | undefined)[] {
  if (signing.key === '') return [];
  if (sigs.length > urls.length || (exps.length > 0 && exps.length !== urls.length)) {
    const detail = 'give one sig per url, in the same order, and either one exp per url or none';
    throw new ProblemError({ status: 403, code: 'bad-signature', detail });
  }
  return urls.map((url, n) => {
    const of = (all: readonly string[]) => all.slice(n, n + 1);
    const queries = (name: string) => of(name === 'sig' ? sigs : exps);
    return checkSignature(url, queries, signing);
  });
}
