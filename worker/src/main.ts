import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { listen, NO_HOST } from '@lastframe/shared/http/http-server';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import { messageOf } from '@lastframe/shared/process/errors';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import { readWorkerConfig } from '@lastframe/shared/settings/config';
import { startProcess } from '@lastframe/shared/startup/start-process';
import { probes } from '@lastframe/shared/telemetry/probes';
import { Queue } from 'bullmq';
import { compose, type Parts, type WorkerContext } from './compose.ts';
import { dashboard } from './dashboard.ts';

const GRACE_MS = 10_000;

await startProcess({
  name: 'worker',
  env: process.env,
  readConfig: readWorkerConfig,
  start: async (context, exposeLinks) => {
    const { config, rules, metrics, log } = context;
    const parts = compose(context);
    exposeLinks(parts.links);
    metrics.setSources(rules.now().sources);
    rules.onChange(({ sources }) => metrics.setSources(sources));

    const routes = opsRoutes(parts, context);
    const opsServer = createOpsServer(
      getRequestListener(routes.fetch, { hostname: NO_HOST }) as RequestListener,
    );
    const { opsHost, concurrency } = config;
    const opsPort = await listen(opsServer, { host: opsHost, port: config.opsPort });
    parts.start();
    log.info({ opsHost, opsPort, concurrency }, 'listening');

    const closeWork = { name: 'jobs', graceMs: GRACE_MS, close: parts.closeJobs };
    return { opsServer, closeWork, closeLinks: parts.closeLinks };
  },
});

/** Probes, metrics and Bull Board. */
function opsRoutes(
  { links, monitor, room, intake }: Parts,
  { config, metrics, log }: WorkerContext,
) {
  const queue = new Queue(QUEUE_NAME, {
    connection: links.queue.client,
    prefix: config.redisPrefix,
    skipVersionCheck: true,
  });
  queue.on('error', (error) => log.debug({ reason: messageOf(error) }, 'dashboard queue error'));
  const { queuesUser: username, queuesPassword: password } = config;
  const credentials = username && password ? { username, password } : undefined;
  const whyNotReady = () => monitor.whyUnfit() ?? room.whyLargerRejected();
  const whyDegraded = () => room.whyNewRejected() ?? intake.whyOverloaded();
  return probes(whyNotReady, metrics, whyDegraded).route('/', dashboard(queue, credentials));
}
