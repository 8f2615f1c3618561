import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { getConnInfo } from '@hono/node-server/conninfo';
import { serveStatic } from '@hono/node-server/serve-static';
import { limitAttempts } from '@lastframe/shared/http/limit-attempts';
import { parseRefreshJob, type RefreshJob } from '@lastframe/shared/messages/refresh-job';
import type { Queue } from 'bullmq';
import { Hono, type MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { every } from 'hono/combine';
import { csrf } from 'hono/csrf';
import { secureHeaders } from 'hono/secure-headers';
import { isLoopback } from './camera-call/address-guard.ts';

export interface Credentials {
  username: string;
  password: string;
}

const PATH = '/queues';

/** Bull Board at `/queues`: with credentials for whoever has them, else read-only and on loopback. */
export function dashboard(queue: Queue, credentials: Credentials | undefined): Hono {
  const adapter = new HonoAdapter(serveStatic).setBasePath(PATH);
  const jobs = new BullMQAdapter(queue, { readOnlyMode: !credentials });
  jobs.setFormatter('name', ({ data }) => shownName(data));
  jobs.setFormatter('data', shownData);
  createBullBoard({
    queues: [jobs],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Lastframe' } },
  });
  // A browser adds the credentials to whatever another site makes it send.
  const allowed = credentials
    ? every(basicAuth({ ...credentials, realm: 'Lastframe' }), csrf(), fromOwnPagesOnly)
    : every(loopbackOnly, readOnly);
  const guard = every(secureHeaders(HEADERS), allowed, withoutForeignParts);
  const attempts = limitAttempts();
  return new Hono()
    .use(PATH, attempts, guard)
    .use(`${PATH}/*`, attempts, guard)
    .route(PATH, adapter.registerPlugin());
}

/**
 * It can't be framed, and asks nobody else for anything; whether there is TLS is not for us to say.
 */
const HEADERS = {
  xFrameOptions: 'DENY',
  strictTransportSecurity: false,
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    // Its components bring their styles along.
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    objectSrc: ["'none'"],
  },
} satisfies Parameters<typeof secureHeaders>[0];

/** The policy forbids its fonts from elsewhere anyway; so that the browser needn't say so each time. */
const withoutForeignParts: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.get('content-type')?.startsWith('text/html')) return;
  const page = (await c.res.text()).replace(/<link [^<>]*>/g, (link) =>
    link.includes('href="http') ? '' : link,
  );
  c.res = new Response(page, { status: c.res.status, headers: c.res.headers });
};

const isSafe = (method: string) => method === 'GET' || method === 'HEAD';

/** `csrf()` looks at forms only; here no request of another site may change anything. */
const fromOwnPagesOnly: MiddlewareHandler = async (c, next) => {
  if (isSafe(c.req.method)) return await next();
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  // Behind a proxy that ends TLS the scheme differs; tools send neither.
  const isOwn =
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || hostOf(origin) === c.req.header('host')?.toLowerCase());
  return isOwn ? await next() : c.text('only the dashboard itself may change anything\n', 403);
};

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Bull Board leaves out the buttons; what they would call is refused here, whatever it is. */
const readOnly: MiddlewareHandler = async (c, next) => {
  if (isSafe(c.req.method)) return await next();
  return c.text('read-only: set QUEUES_USER and QUEUES_PASSWORD\n', 405, { Allow: 'GET, HEAD' });
};

/** A connection from this machine is no proof: a proxy may run here, and a browser that was lured. */
const loopbackOnly: MiddlewareHandler = async (c, next) => {
  const isFromHere =
    isLoopback(getConnInfo(c).remote.address ?? '') &&
    isLoopbackName(c.req.header('host') ?? '') &&
    !FORWARDED.some((name) => c.req.header(name) !== undefined);
  if (isFromHere) return await next();
  return c.text('set QUEUES_USER and QUEUES_PASSWORD to see the dashboard from elsewhere\n', 403);
};

const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'];

/** DNS can make any name lead here, for a page that then reads as if we were its own (rebinding). */
function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || isLoopback(name.replace(/^\[(.*)\]$/, '$1'));
}

/** What the dashboard calls a job: its camera's name, or id. */
export function shownName(payload: unknown): string {
  const job = parsed(payload);
  if (!job) return 'no refresh job';
  return 'name' in job ? job.name : job.cameraId;
}

/** A payload without what may be a secret: of the URL of an unnamed camera, its query. */
export function shownData(payload: unknown): Record<string, unknown> {
  const job = parsed(payload);
  if (!job) return {};
  const { cameraId, askedAtMs } = job;
  const camera = 'name' in job ? { camera: job.name } : { url: withoutQuery(job.url) };
  return { ...camera, cameraId, askedAt: new Date(askedAtMs).toISOString() };
}

function parsed(payload: unknown): RefreshJob | undefined {
  try {
    return parseRefreshJob(payload);
  } catch {
    return undefined;
  }
}

function withoutQuery(text: string): string {
  if (!URL.canParse(text)) return 'no URL';
  const { origin, pathname, search } = new URL(text);
  return `${origin}${pathname}${search && '?…'}`;
}
