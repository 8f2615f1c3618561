import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startSlowServer } from './http/server.ts';

const outcome = readConfig(process.env);
if (!outcome.ok) {
  process.stderr.write(
    `The slow server cannot start:\n${outcome.faults.map((fault) => `- ${fault}\n`).join('')}`,
  );
  process.exit(1);
}

const { host, port, delayMs, logLevel } = outcome.config;
const log = pino(
  { level: logLevel, base: { part: 'slow-server', pid: process.pid } },
  pino.destination({ fd: 1, sync: true }),
);

const server = await startSlowServer({ host, port, delayMs, log }).catch(
  (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
    process.stderr.write(`The slow server cannot listen on ${host} port ${port}: ${reason}.\n`);
    process.exit(1);
  },
);
log.info({ host, port: server.port, delayMs }, 'listening');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    log.info({ signal }, 'stopping');
    await server.close();
    process.exit(0);
  });
}
