import { listen } from '@lastframe/shared/http/http-server';
import { readApiConfig } from '@lastframe/shared/settings/config';
import { startProcess } from '@lastframe/shared/startup/start-process';
import { compose, composeOpsServer, composePublicServer } from './compose.ts';

const REDIS_WAIT_MS = 2000;
const DRAIN_MS = 2500;
const GRACE_MS = 7000;

await startProcess({
  name: 'api',
  env: process.env,
  readConfig: readApiConfig,
  start: async (context, exposeLinks) => {
    const parts = compose(context);
    exposeLinks(parts.links);
    let isClosing = false;
    const publicServer = composePublicServer(parts, context);
    const opsServer = composeOpsServer(parts, context, () => (isClosing ? 'closing' : undefined));

    await parts.start(REDIS_WAIT_MS);
    const { host, port, reusePort, opsHost, opsPort } = context.config;
    const listening = {
      host,
      opsHost,
      opsPort: await listen(opsServer, { host: opsHost, port: opsPort }),
      port: await listen(publicServer.server, { host, port, reusePort }),
    };
    context.log.info(listening, 'listening');

    const close = async () => {
      isClosing = true;
      // Near the end, clients that still wait for a first frame get a response, not a cut-off.
      const endWaits = setTimeout(() => parts.waiters.close(), DRAIN_MS + GRACE_MS - 1000);
      const times = { drainMs: DRAIN_MS, graceMs: GRACE_MS };
      await publicServer.close(times, parts.streams.close);
      clearTimeout(endWaits);
    };
    const closeWork = { name: 'public', graceMs: DRAIN_MS + GRACE_MS + 500, close };
    return { opsServer, closeWork, closeLinks: parts.close };
  },
});
