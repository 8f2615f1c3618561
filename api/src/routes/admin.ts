import { createHash, timingSafeEqual } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/cameras/rules';
import type { PurgeMode, PurgeResult } from '@lastframe/shared/frames/purge';
import { limitAttempts } from '@lastframe/shared/http/limit-attempts';
import type { Clock } from '@lastframe/shared/process/clock';
import { ProblemError, RedisUnavailableError } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisClient } from '@lastframe/shared/redis/redis-link';
import type { MiddlewareHandler } from 'hono';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { problemResponse } from '../answer/problem.ts';
import type { FrameReader } from '../cache/frame-reader.ts';
import { isWithinInterval, makeStale } from '../cache/held-frame.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import { readPairs } from './query-pairs.ts';
import { rejectStrayParameters } from './stray-parameters.ts';

export interface AdminDeps {
  clock: Clock;
  rules: RulesNow;
  reader: Pick<FrameReader, 'read'>;
  demand: Pick<Demand, 'raise' | 'announcedWaitMs'>;
  fleet: Pick<FleetStatus, 'whyCannotCall'>;
  /** Returns the longest time until a permit is free. @throws RedisUnavailableError */
  permitFreeInMs: (cameraId: string) => Promise<number>;
  /** @throws RedisUnavailableError */
  purge: (camera: Camera, mode: PurgeMode) => Promise<PurgeResult>;
  /** Empty: nothing is served. */
  token: string;
  log: Log;
}

/** A `url` of 4 KiB with every byte percent-encoded. */
const MAX_FORM_BYTES = 14 * 1024;

/** `POST /refresh` and `POST /purge` on the ops port, for operators with the token. */
export function createAdminRoutes(deps: AdminDeps): Hono {
  const app = new Hono();
  const attempts = limitAttempts();
  for (const path of ['/refresh', '/purge']) {
    app.use(path, attempts, bearerOnly(deps.token), bodyLimit({ maxSize: MAX_FORM_BYTES }));
  }
  app.post('/refresh', async (c) => c.json(await refresh(await readForm(c), deps), 202, NO_STORE));
  app.post('/purge', async (c) => c.json(await purge(await readForm(c), deps), 200, NO_STORE));
  for (const path of ['/refresh', '/purge']) {
    app.all(path, (c) => c.text('use POST\n', 405, { Allow: 'POST' }));
  }
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.problem, c.req.path);
    if (error instanceof RedisUnavailableError) {
      return problemResponse(unavailable('Redis cannot be reached'), c.req.path);
    }
    if (error instanceof HTTPException) return error.getResponse(); // from bodyLimit
    throw error;
  });
  return app;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** Raises demand as a viewer does: one job, one permit. A fresh frame needs no call. */
async function refresh(form: Form, deps: AdminDeps) {
  const { clock, reader, demand, fleet, log } = deps;
  const camera = cameraOf(form, deps);
  const { cameraId } = camera;
  const closed = fleet.whyCannotCall();
  if (closed !== undefined) throw new ProblemError(unavailable(closed));
  const { held } = await reader.read(camera);
  const permitMs = await deps.permitFreeInMs(cameraId);
  const isRecent = held !== undefined && isWithinInterval(held, clock.monoMs());
  const outcome = isRecent ? 'fresh' : 'asked';
  if (!isRecent) {
    // The operator may know better than the cadence when a picture is new.
    if (held) makeStale(held, clock.monoMs());
    demand.raise(camera);
  }
  log.info({ cameraId, outcome }, 'refresh requested by an operator');
  const callableInMs = Math.ceil(Math.max(permitMs, demand.announcedWaitMs(cameraId)));
  return { ...namesOf(camera), outcome, callableInMs };
}

async function purge(form: Form, deps: AdminDeps) {
  const camera = cameraOf(form, deps);
  const mode = modeOf(form);
  const { frame, failure, purgedAtMs } = await deps.purge(camera, mode);
  deps.log.info({ cameraId: camera.cameraId, mode }, 'purge requested by an operator');
  return { ...namesOf(camera), mode, frame, failure, purgedAt: new Date(purgedAtMs).toISOString() };
}

const namesOf = ({ cameraId, name }: Camera) => ({ cameraId, ...(name && { camera: name }) });

type Form = URLSearchParams;

/**
 * Merges the query and the form. Access logs do not show a form.
 * @throws ProblemError 400 for parameters that were meant for a camera
 */
async function readForm(c: Context): Promise<Form> {
  const { pathname, search } = new URL(c.req.url);
  const type = c.req.header('content-type') ?? '';
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(type);
  const text = `${search.slice(1)}&${isForm ? await c.req.text() : ''}`;
  const names = ['url', 'camera', 'hard'];
  rejectStrayParameters(readPairs(text), pathname, {
    names,
    areLists: false,
    isCamera: () => false,
  });
  return new URLSearchParams(text);
}

function cameraOf(form: Form, { rules }: AdminDeps): Camera {
  const [url, name] = [only(form, 'url'), only(form, 'camera')];
  if (url !== undefined && name === undefined) return findCameraByUrl(url, rules());
  if (name !== undefined && url === undefined) return findCameraByName(name, rules());
  throw bad('give either url=<URL of the image> or camera=<name>');
}

function modeOf(form: Form): PurgeMode {
  const hard = only(form, 'hard') ?? '0';
  if (hard !== '0' && hard !== '1') throw bad('hard must be 1 or 0');
  return hard === '1' ? 'hard' : 'soft';
}

function only(form: Form, name: string): string | undefined {
  const [value, ...more] = form.getAll(name);
  if (more.length > 0) throw bad(`${name} is given more than once`);
  return value;
}

function bad(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: 'bad-form', detail });
}

function unavailable(detail: string) {
  return { status: 503, code: 'not-now', detail, retryAfterMs: 2000 } as const;
}

/** Returns how long the camera's current permit and back-off last. */
export async function permitFreeInMs(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<number> {
  const ttls = [keys.permit(cameraId), keys.backoff(cameraId)].map((key) => client.pTTL(key));
  return Math.max(0, ...(await Promise.all(ttls)));
}

/**
 * Requires `Authorization: Bearer <token>` (RFC 6750). If the token is empty, everything is 404.
 */
export function bearerOnly(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (token === '') return c.notFound();
    const sentToken = bearerTokenOf(c.req.header('authorization'));
    if (sentToken !== undefined && isSame(sentToken, token)) return await next();
    const why = sentToken === undefined ? '' : ', error="invalid_token"';
    return c.text('Unauthorized\n', 401, {
      'WWW-Authenticate': `Bearer realm="Lastframe"${why}`,
      'Cache-Control': 'no-store',
    });
  };
}

/** Returns undefined for another scheme or a missing header. */
export function bearerTokenOf(authorization = ''): string | undefined {
  const scheme = 'bearer ';
  const isBearer = authorization.slice(0, scheme.length).toLowerCase() === scheme;
  return isBearer ? authorization.slice(scheme.length).trim() : undefined;
}

/** Compares in constant time. Hashes have equal lengths, so not even the token's length leaks. */
function isSame(sent: string, token: string): boolean {
  const [a, b] = [sent, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
