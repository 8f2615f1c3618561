import type { IncomingMessage } from 'node:http';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/cameras/rules';
import type { Network } from '@lastframe/shared/cameras/source';
import type { Context } from 'hono';
import type { NoticeCacheBuster } from '../access/cache-buster-notice.ts';
import { clientOf } from '../access/client-address.ts';
import type { NewCameraLimit } from '../access/new-camera-limit.ts';
import { rejectOwnUrl } from '../access/own-url.ts';
import { checkSignature, limitCachingToExpiry, signatureContext } from '../access/signed-url.ts';
import { isNotModified } from '../answer/conditional.ts';
import { type Conditions, frameResponse } from '../answer/frame-response.ts';
import { problemResponse } from '../answer/problem.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import {
  type FrameLookup,
  type LookupDeps,
  lookUpFrame,
  type Requester,
} from '../lookup/frame-lookup.ts';
import type { LearnedTargets } from './learned-targets.ts';
import { parsePrefer } from './prefer.ts';
import { pairsOf, valuesOf } from './query-pairs.ts';
import { imagesQuery, readQuery } from './query-schemas.ts';

export interface ImagesDeps extends LookupDeps {
  /** Returns the rules in force. */
  rules: RulesNow;
  noticeCacheBuster: NoticeCacheBuster;
  /** Empty: `url=` needs no signature. */
  urlSigningKey: string;
  newCameraLimit: NewCameraLimit;
  trustedProxies: readonly Network[];
  /** Undefined without a fast path. */
  learnedTargets: Pick<LearnedTargets, 'learn'> | undefined;
}

/** `GET, HEAD /images?url=`: the last frame of a camera. */
export async function getImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const { url } = readQuery(c, imagesQuery);
  const pairs = pairsOf(c);
  const queries = (name: string) => valuesOf(pairs, name);
  // Before the rules, so that they reveal nothing without a signature.
  const leftMs = checkSignature(url, queries, signatureContext(deps));
  rejectOwnUrl(url, c.req.header('host'));
  const camera = findCameraByUrl(url, deps.rules());
  deps.noticeCacheBuster(url, camera);
  // A signature that expires must be checked at each request.
  if (leftMs === undefined) learnTarget(c, camera, deps);
  const beganMonoMs = deps.clock.monoMs();
  const response = await lastFrameOf(camera, c, deps, leftMs);
  // Waiting has used up part of the signature's time.
  const waitedMs = deps.clock.monoMs() - beganMonoMs;
  return limitCachingToExpiry(response, leftMs && Math.max(0, leftMs - waitedMs));
}

/** `GET, HEAD /cameras/<name>`: the last frame of a named camera, whose URL stays secret. */
export async function getNamedImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const camera = findCameraByName(c.req.param('name') ?? '', deps.rules());
  learnTarget(c, camera, deps);
  return await lastFrameOf(camera, c, deps);
}

function learnTarget(c: Context, camera: Camera, { learnedTargets }: ImagesDeps): void {
  const incoming = c.env?.incoming as IncomingMessage | undefined;
  learnedTargets?.learn(incoming?.headers.host, incoming?.url, camera);
}

/** @param leftMs how long the signature of the URL stays valid; no wait is longer */
async function lastFrameOf(
  camera: Camera,
  c: Context,
  { coldWaitMs, ...others }: ImagesDeps,
  leftMs = Number.POSITIVE_INFINITY,
): Promise<Response> {
  c.set('cameraId', camera.cameraId);
  const deps = { ...others, coldWaitMs: Math.min(coldWaitMs, leftMs) };
  const { waitS, respondAsync } = parsePrefer(c.req.header('prefer'));
  const conditions = conditionsOf(c);
  const lookup = await lookUpFrame(
    camera,
    {
      requester: requesterOf(c, deps),
      respondAsync,
      waitS: waitS === undefined ? undefined : Math.min(waitS, Math.floor(leftMs / 1000)),
      hasFrame: clientFrameCheck(conditions),
    },
    deps,
  );
  return render(c, lookup, conditions, deps);
}

function render(
  c: Context,
  lookup: FrameLookup,
  conditions: Conditions,
  { clock }: Pick<ImagesDeps, 'clock'>,
): Response {
  if ('found' in lookup) c.set('answered', lookup.found);
  const response =
    'found' in lookup
      ? frameResponse(lookup.found.held, lookup.found.origin, clock, conditions)
      : problemResponse(lookup.problem, c.req.path);
  if (lookup.applied) response.headers.set('Preference-Applied', lookup.applied);
  return response;
}

function requesterOf(c: Context, { newCameraLimit, trustedProxies }: ImagesDeps): Requester {
  const client = clientOf(c, trustedProxies);
  const newCameraWaitMs = (cameraId: string) => newCameraLimit.tryRequest(client, cameraId);
  return { client, signal: c.req.raw.signal, newCameraWaitMs };
}

/** Returns a check for the frame that the client has; undefined if its request names none. */
function clientFrameCheck(conditions: Conditions): ((held: HeldFrame) => boolean) | undefined {
  const { ifNoneMatch } = conditions;
  if (ifNoneMatch === undefined || ifNoneMatch.trim() === '*') return undefined;
  return (held) => isNotModified(conditions, held);
}

function conditionsOf({ req }: Context): Conditions {
  return {
    ifNoneMatch: req.header('if-none-match'),
    ifModifiedSince: req.header('if-modified-since'),
    range: req.method === 'GET' ? req.header('range') : undefined,
    ifRange: req.header('if-range'),
    instance: req.path,
  };
}
