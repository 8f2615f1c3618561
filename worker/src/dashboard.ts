import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { getConnInfo } from '@hono/node-server/conninfo';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Queue } from 'bullmq';
import { Hono, type MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { isLoopback } from './address-guard.ts';

export interface Credentials {
  username: string;
  password: string;
}

const PATH = '/queues';

/** Bull Board at `/queues`: with credentials for whoever has them, else read-only and on loopback. */
export function dashboard(queue: Queue, credentials: Credentials | undefined): Hono {
  const adapter = new HonoAdapter(serveStatic).setBasePath(PATH);
  createBullBoard({
    queues: [new BullMQAdapter(queue, { readOnlyMode: !credentials })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Lastframe' } },
  });
  const guard = credentials ? basicAuth({ ...credentials, realm: 'Lastframe' }) : loopbackOnly;
  return new Hono().use(PATH, guard).use(`${PATH}/*`, guard).route(PATH, adapter.registerPlugin());
}

const loopbackOnly: MiddlewareHandler = async (c, next) => {
  if (isLoopback(getConnInfo(c).remote.address ?? '')) return await next();
  return c.text('set QUEUES_USER and QUEUES_PASSWORD to see the dashboard from elsewhere\n', 403);
};
