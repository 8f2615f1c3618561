import type { IncomingMessage } from 'node:http';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/cameras/rules';
import type { Network } from '@lastframe/shared/cameras/source';
import { ProblemError } from '@lastframe/shared/process/errors';
import type { Context } from 'hono';
import { clientOf } from '../access/client-address.ts';
import type { ColdLimit } from '../access/new-camera-limit.ts';
import { boundByExpiry, checkSignature, signingOf } from '../access/signed-url.ts';
import { isNotModified } from '../answer/conditional.ts';
import { type Conditions, frameResponse } from '../answer/frame-response.ts';
import { problemResponse } from '../answer/problem.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { Origin } from '../lookup/frame-lookup.ts';
import {
  type Asker,
  type Found,
  frameFromAfar,
  frameInMemory,
  type LastFrameDeps,
  nextFrame,
} from '../lookup/frame-lookup.ts';
import type { KnownTargets } from './learned-targets.ts';
import { type Preferences, parsePrefer } from './prefer.ts';
import { imagesQuery, readQuery } from './query-schemas.ts';

export interface ImagesDeps extends LastFrameDeps {
  /** Those in force at each request. */
  rules: RulesNow;
  /** Not set: no `url=` needs a signature. */
  urlSigningKey?: string;
  /** Not set: no bound. */
  coldLimit?: ColdLimit;
  trustedProxies?: readonly Network[];
  /** Not set: there is no fast path to learn which camera a target means. */
  knownTargets?: Pick<KnownTargets, 'learn'> | undefined;
}

/** A long poll is not held longer than proxies hold a connection. */
const MAX_WAIT_S = 60;

/** `GET, HEAD /images?url=`: the last frame of a camera. */
export async function getImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const { url } = readQuery(c, imagesQuery);
  const queries = (name: string) => c.req.queries(name);
  // Before the rules: who has no signature learns nothing about them.
  const leftMs = checkSignature(url, queries, signingOf(deps));
  const camera = findCameraByUrl(url, deps.rules());
  // What expires is checked at each request.
  if (leftMs === undefined) learnTarget(c, camera, deps);
  const beganMonoMs = deps.clock.monoMs();
  const response = await lastFrameOf(camera, c, deps, leftMs);
  // What was waited for meanwhile is over sooner.
  const waitedMs = deps.clock.monoMs() - beganMonoMs;
  return boundByExpiry(response, leftMs && Math.max(0, leftMs - waitedMs));
}

/** `GET, HEAD /cameras/<name>`: the last frame of a named camera, whose URL stays secret. */
export async function getNamedImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const camera = findCameraByName(c.req.param('name') ?? '', deps.rules());
  learnTarget(c, camera, deps);
  return await lastFrameOf(camera, c, deps);
}

function learnTarget(c: Context, camera: Camera, { knownTargets }: ImagesDeps): void {
  const incoming = c.env?.incoming as IncomingMessage | undefined;
  knownTargets?.learn(incoming?.headers.host, incoming?.url, camera);
}

/** @param leftMs nobody waits longer than his URL is good for */
async function lastFrameOf(
  camera: Camera,
  c: Context,
  { coldWaitMs, ...others }: ImagesDeps,
  leftMs = Number.POSITIVE_INFINITY,
): Promise<Response> {
  c.set('cameraId', camera.cameraId);
  const deps = { ...others, coldWaitMs: Math.min(coldWaitMs, leftMs) };
  const { waitS, respondAsync } = parsePrefer(c.req.header('prefer'));
  const boundS = waitS === undefined ? undefined : Math.min(waitS, Math.floor(leftMs / 1000));
  const preferences = { respondAsync, waitS: boundS };
  const held = frameInMemory(camera, deps);
  return held
    ? await warmAnswer(c, { held, origin: 'memory' }, preferences, deps)
    : await coldAnswer(c, camera, preferences, deps);
}

/** The frame that there is; or the next one, when the viewer has this one and likes to wait. */
async function warmAnswer(
  c: Context,
  { held, origin }: Found,
  { waitS = 0 }: Preferences,
  deps: ImagesDeps,
): Promise<Response> {
  const { camera } = held;
  const conditions = conditionsOf(c);
  const answer = (last: HeldFrame, from: Origin) => {
    c.set('answered', { held: last, origin: from });
    return frameResponse(last, from, deps.clock, conditions);
  };
  if (waitS === 0 || !waitsForNext(conditions, held)) return answer(held, origin);
  const appliedS = Math.min(waitS, MAX_WAIT_S);
  const next = await nextFrame(
    camera,
    askerOf(c, deps),
    {
      timeoutMs: appliedS * 1000,
      isNew: (frame) => !isNotModified(conditions, frame),
    },
    deps,
  );
  const last = next ?? frameInMemory(camera, deps);
  // It may have been purged meanwhile; the store knows.
  const response = last
    ? answer(last, 'memory')
    : await coldAnswer(c, camera, { respondAsync: true, waitS: 0 }, deps);
  response.headers.set('Preference-Applied', `wait=${appliedS}`);
  return response;
}

/** The frame in Redis, or the first one, for which nobody waits longer than he likes. */
async function coldAnswer(
  c: Context,
  camera: Camera,
  preferences: Preferences,
  deps: ImagesDeps,
): Promise<Response> {
  const { respondAsync, waitS } = preferences;
  const preferredMs = waitS === undefined ? (respondAsync ? 0 : undefined) : waitS * 1000;
  const coldWaitMs = Math.min(deps.coldWaitMs, preferredMs ?? deps.coldWaitMs);
  const applied = waitS === undefined ? 'respond-async' : `wait=${coldWaitMs / 1000}`;
  try {
    const found = await frameFromAfar(camera, askerOf(c, deps), { ...deps, coldWaitMs });
    const response = await warmAnswer(c, found, preferences, deps);
    const hasWaited = found.origin === 'stored' || found.origin === 'collapsed';
    if (hasWaited && waitS !== undefined) response.headers.set('Preference-Applied', applied);
    return response;
  } catch (error) {
    if (preferredMs === undefined || !(error instanceof ProblemError)) throw error;
    const response = problemResponse(error.problem, c.req.path);
    response.headers.set('Preference-Applied', applied);
    return response;
  }
}

function askerOf(c: Context, { coldLimit, trustedProxies }: ImagesDeps): Asker {
  const client = clientOf(c, trustedProxies);
  const mayAskInMs = (cameraId: string) => coldLimit?.waitMs(client, cameraId) ?? 0;
  return { client, signal: c.req.raw.signal, mayAskInMs };
}

/** Who names the frame that he has, and would be told that it is still the last one. */
function waitsForNext(conditions: Conditions, held: HeldFrame): boolean {
  const { ifNoneMatch } = conditions;
  if (ifNoneMatch === undefined || ifNoneMatch.trim() === '*') return false;
  return isNotModified(conditions, held);
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
