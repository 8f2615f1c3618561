import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { getConnInfo } from '@hono/node-server/conninfo';
import { serveStatic } from '@hono/node-server/serve-static';
import { withoutBrackets } from '@lastframe/shared/cameras/host-name';
import { limitAttempts } from '@lastframe/shared/http/limit-attempts';
import { refreshJobFormat } from '@lastframe/shared/messages/refresh-job';
import type { Queue } from 'bullmq';
import { Hono, type MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { every } from 'hono/combine';
import { csrf } from 'hono/csrf';
import { secureHeaders } from 'hono/secure-headers';
import { isLoopback } from './camera-call/connect/address-guard.ts';

export interface Credentials {
  username: string;
  password: string;
}

const PATH = '/queues';

/** Serves Bull Board at `/queues`: with credentials, or else read-only and on loopback. */
export function dashboard(queue: Queue, credentials: Credentials | undefined): Hono {
  const adapter = new HonoAdapter(serveStatic).setBasePath(PATH);
  const jobs = new BullMQAdapter(queue, { readOnlyMode: !credentials });
  jobs.setFormatter('name', ({ data }) => displayNameOf(data));
  jobs.setFormatter('data', displayDataOf);
  createBullBoard({
    queues: [jobs],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Lastframe' } },
  });
  // A browser adds the credentials to any request that another site makes it send.
  const accessGuard = credentials
    ? every(basicAuth({ ...credentials, realm: 'Lastframe' }), csrf(), fromOwnPagesOnly)
    : every(loopbackOnly, readOnly);
  const guard = every(secureHeaders(HEADERS), accessGuard, withoutForeignLinks);
  const attempts = limitAttempts();
  return new Hono()
    .use(PATH, attempts, guard)
    .use(`${PATH}/*`, attempts, guard)
    .route(PATH, adapter.registerPlugin());
}

/** No framing and no foreign resources. HSTS is left to the proxy that terminates TLS. */
const HEADERS = {
  xFrameOptions: 'DENY',
  strictTransportSecurity: false,
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    // Bull Board's components use inline styles.
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    objectSrc: ["'none'"],
  },
} satisfies Parameters<typeof secureHeaders>[0];

/** Removes links to foreign fonts, which the policy blocks, so that browsers do not report them. */
const withoutForeignLinks: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.get('content-type')?.startsWith('text/html')) return;
  const page = (await c.res.text()).replace(/<link [^<>]*>/g, (link) =>
    link.includes('href="http') ? '' : link,
  );
  c.res = new Response(page, { status: c.res.status, headers: c.res.headers });
};

const isSafe = (method: string) => method === 'GET' || method === 'HEAD';

/** `csrf()` checks only forms; this rejects every change from another site. */
const fromOwnPagesOnly: MiddlewareHandler = async (c, next) => {
  if (isSafe(c.req.method)) return await next();
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  // Behind a proxy that terminates TLS the scheme differs; tools send neither header.
  const isOwn =
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || isOriginOf(c.req.header('host') ?? '', origin));
  return isOwn
    ? await next()
    : c.text('rejected: only the dashboard itself may change the queue\n', 403);
};

/** @param host empty in HTTP/1.0, where nothing is its origin */
function isOriginOf(host: string, origin: string): boolean {
  return host !== '' && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Rejects all changes; Bull Board only hides the buttons. */
const readOnly: MiddlewareHandler = async (c, next) => {
  if (isSafe(c.req.method)) return await next();
  return c.text('read-only: to allow changes, set QUEUES_USER and QUEUES_PASSWORD\n', 405, {
    Allow: 'GET, HEAD',
  });
};

/** Checks more than the address: a proxy or a lured browser may run on this machine. */
const loopbackOnly: MiddlewareHandler = async (c, next) => {
  const isLocal =
    isLoopback(getConnInfo(c).remote.address ?? '') &&
    isLoopbackName(c.req.header('host') ?? '') &&
    !FORWARDED.some((name) => c.req.header(name) !== undefined);
  if (isLocal) return await next();
  return c.text(
    'set QUEUES_USER and QUEUES_PASSWORD to open the dashboard from another machine\n',
    403,
  );
};

const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'];

/** Returns whether a host names this machine: DNS can lead other names here (rebinding). */
function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || isLoopback(withoutBrackets(name));
}

/** Returns a job's name on the dashboard: its camera's name or id. */
export function displayNameOf(payload: unknown): string {
  const job = refreshJobFormat.safeParse(payload).data;
  if (!job) return 'invalid refresh job';
  return 'name' in job ? job.name : job.cameraId;
}

/** Returns a payload without possible secrets: an unnamed camera's URL has no query. */
export function displayDataOf(payload: unknown): Record<string, unknown> {
  const job = refreshJobFormat.safeParse(payload).data;
  if (!job) return {};
  const { cameraId, askedAtMs } = job;
  const camera = 'name' in job ? { camera: job.name } : { url: withoutQuery(job.url) };
  return { ...camera, cameraId, askedAt: new Date(askedAtMs).toISOString() };
}

function withoutQuery(text: string): string {
  if (!URL.canParse(text)) return 'invalid URL';
  const { origin, pathname, search } = new URL(text);
  return `${origin}${pathname}${search && '?…'}`;
}
