import type { IncomingMessage } from 'node:http';
import type { Camera } from '@lastframe/shared/camera';
import { ProblemError } from '@lastframe/shared/errors';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/rules';
import type { Network } from '@lastframe/shared/source';
import type { Context } from 'hono';
import { clientAddress, clientGroup } from '../client-address.ts';
import type { ColdLimit } from '../cold-limit.ts';
import { frameResponse } from '../frame-response.ts';
import { frameFromAfar, frameInMemory, type LastFrameDeps } from '../last-frame.ts';
import { boundByExpiry, checkSignature } from '../signed-url.ts';

export interface ImagesDeps extends LastFrameDeps {
  /** Those in force at each request. */
  rules: RulesNow;
  /** Not set: no `url=` needs a signature. */
  urlSigningKey?: string;
  /** Not set: no bound. */
  coldLimit?: ColdLimit;
  trustedProxies?: readonly Network[];
}

/** `GET, HEAD /images?url=`: the last frame of a camera. */
export async function getImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const url = onlyUrl(c.req.queries('url'));
  const nowMs = deps.fleet.redisNowMs() ?? deps.clock.wallMs();
  const queries = (name: string) => c.req.queries(name);
  // Before the rules: who has no signature learns nothing about them.
  const leftMs = checkSignature(url, queries, { key: deps.urlSigningKey ?? '', nowMs });
  const response = await lastFrameOf(findCameraByUrl(url, deps.rules()), c, deps);
  return boundByExpiry(response, leftMs);
}

/** `GET, HEAD /cameras/<name>`: the last frame of a named camera, whose URL stays secret. */
export async function getNamedImage(c: Context, deps: ImagesDeps): Promise<Response> {
  return await lastFrameOf(findCameraByName(c.req.param('name') ?? '', deps.rules()), c, deps);
}

async function lastFrameOf(camera: Camera, c: Context, deps: ImagesDeps): Promise<Response> {
  const conditions = {
    ifNoneMatch: c.req.header('if-none-match'),
    ifModifiedSince: c.req.header('if-modified-since'),
  };
  const held = frameInMemory(camera, deps);
  if (held) return frameResponse(held, 'memory', deps.clock.monoMs(), conditions);
  const found = await frameFromAfar(camera, c.req.raw.signal, deps, () => {
    const { remoteAddress } = (c.env?.incoming as IncomingMessage | undefined)?.socket ?? {};
    const forwardedFor = c.req.header('x-forwarded-for');
    const client = clientAddress(remoteAddress, forwardedFor, deps.trustedProxies ?? []);
    return deps.coldLimit?.waitMs(clientGroup(client), camera.cameraId) ?? 0;
  });
  return frameResponse(found.held, found.origin, deps.clock.monoMs(), conditions);
}

function onlyUrl(urls: string[] | undefined): string {
  const [url, ...more] = urls ?? [];
  if (url === undefined) throw bad('url is missing; ask for /images?url=<URL of the image>');
  if (more.length > 0) {
    throw bad('url is given more than once; percent-encode the & in the URL of the image as %26');
  }
  return url;
}

function bad(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: 'invalid-url', detail });
}
