import { createHash, timingSafeEqual } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/cameras/rules';
import type { Purged, PurgeMode } from '@lastframe/shared/frames/purge';
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
import { isFresh } from '../cache/held-frame.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';

export interface AdminDeps {
  clock: Clock;
  rules: RulesNow;
  reader: Pick<FrameReader, 'read'>;
  demand: Pick<Demand, 'raise' | 'announcedWaitMs'>;
  fleet: Pick<FleetStatus, 'closedBecause'>;
  /** How long it is at most until a permit can be had; 0 when it can. @throws RedisUnavailableError */
  permitFreeInMs: (cameraId: string) => Promise<number>;
  /** @throws RedisUnavailableError */
  purge: (camera: Camera, mode: PurgeMode) => Promise<Purged>;
  /** Empty: nothing is served. */
  token: string;
  log: Log;
}

/** A `url` of 4 KiB, percent-encoded to the last byte. */
const MAX_FORM_BYTES = 14 * 1024;

/** `POST /refresh` and `POST /purge` of the ops port, for who has the token. */
export function admin(deps: AdminDeps): Hono {
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
      return problemResponse(notNow('Redis can not be reached'), c.req.path);
    }
    if (error instanceof HTTPException) return error.getResponse(); // of bodyLimit
    throw error;
  });
  return app;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** Demand as a viewer raises it: one job, one permit. A fresh frame needs no call. */
async function refresh(form: Form, deps: AdminDeps) {
  const { clock, reader, demand, fleet, log } = deps;
  const camera = cameraOf(form, deps);
  const { cameraId } = camera;
  const closed = fleet.closedBecause();
  if (closed !== undefined) throw new ProblemError(notNow(closed));
  const { held } = await reader.read(camera);
  const permitMs = await deps.permitFreeInMs(cameraId);
  const outcome = held && isFresh(held, clock.monoMs()) ? 'fresh' : 'asked';
  if (outcome === 'asked') demand.raise(camera);
  log.info({ cameraId, outcome }, 'refresh by an operator');
  const callableInMs = Math.ceil(Math.max(permitMs, demand.announcedWaitMs(cameraId)));
  return { ...namesOf(camera), outcome, callableInMs };
}

async function purge(form: Form, deps: AdminDeps) {
  const camera = cameraOf(form, deps);
  const mode = modeOf(form);
  const { frame, failure, purgedAtMs } = await deps.purge(camera, mode);
  deps.log.info({ cameraId: camera.cameraId, mode }, 'purge by an operator');
  return { ...namesOf(camera), mode, frame, failure, purgedAt: new Date(purgedAtMs).toISOString() };
}

const namesOf = ({ cameraId, name }: Camera) => ({ cameraId, ...(name && { camera: name }) });

type Form = URLSearchParams;

/** What the query and the form say, as one: a form is not seen by what logs request lines. */
async function readForm(c: Context): Promise<Form> {
  const form = new URLSearchParams(new URL(c.req.url).search);
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return form;
  for (const [name, value] of new URLSearchParams(await c.req.text())) form.append(name, value);
  return form;
}

function cameraOf(form: Form, { rules }: AdminDeps): Camera {
  const [url, name] = [only(form, 'url'), only(form, 'camera')];
  if (url !== undefined && name === undefined) return findCameraByUrl(url, rules());
  if (name !== undefined && url === undefined) return findCameraByName(name, rules());
  throw bad('give either url=<URL of the image> or camera=<name>');
}

function modeOf(form: Form): PurgeMode {
  const hard = only(form, 'hard') ?? '0';
  if (hard !== '0' && hard !== '1') throw bad('hard is 1 or 0');
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

function notNow(detail: string) {
  return { status: 503, code: 'not-now', detail, retryAfterMs: 2000 } as const;
}

/** By the permit and the back-off that the camera has now. */
export async function permitFreeInMs(
  client: RedisClient,
  keys: Keys,
  cameraId: string,
): Promise<number> {
  const lives = [keys.permit(cameraId), keys.backoff(cameraId)].map((key) => client.pTTL(key));
  return Math.max(0, ...(await Promise.all(lives)));
}

/**
 * Lets a request pass only with `Authorization: Bearer <token>` (RFC 6750). Without a token there
 * is nothing here for anybody.
 */
export function bearerOnly(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (token === '') return c.notFound();
    const given = bearerTokenOf(c.req.header('authorization'));
    if (given !== undefined && isSame(given, token)) return await next();
    const why = given === undefined ? '' : ', error="invalid_token"';
    return c.text('Unauthorized\n', 401, {
      'WWW-Authenticate': `Bearer realm="Lastframe"${why}`,
      'Cache-Control': 'no-store',
    });
  };
}

/** Undefined where the header is for another scheme, or none. */
export function bearerTokenOf(authorization = ''): string | undefined {
  const scheme = 'bearer ';
  const isBearer = authorization.slice(0, scheme.length).toLowerCase() === scheme;
  return isBearer ? authorization.slice(scheme.length).trim() : undefined;
}

/** In constant time; hashes have one length, so that not even the token's own length shows. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
