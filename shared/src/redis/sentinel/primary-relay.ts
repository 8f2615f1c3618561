import { randomUUID } from 'node:crypto';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../../process/errors.ts';
import type { Log } from '../../process/log.ts';
import type { RedisEndpoint } from '../../settings/redis-url.ts';
import { openRedis, type RedisLink } from '../redis-link.ts';
import type { RedisTls } from '../redis-tls.ts';

/**
 * Relays each new connection to the server that the Sentinels call the primary at that moment.
 *
 * Links work as they do behind a service name: with their own deadlines and HELLO, without an
 * offline queue, and they reach a new primary by reconnecting. node-redis's own Sentinel client
 * keeps commands across a failover, which must never happen to a permit.
 */
export interface PrimaryRelay {
  /** The Unix socket to connect to. */
  readonly path: string;
  close(): Promise<void>;
}

interface Primary {
  host: string;
  port: number;
}

const ASK_DEADLINE_MS = 500;
const CONNECT_DEADLINE_MS = 1500;
const POLL_EVERY_MS = 1000;

export function openPrimaryRelay(
  endpoint: Extract<RedisEndpoint, { kind: 'sentinel' }>,
  { tls, log, onMode }: { tls: RedisTls; log: Log; onMode: (mode: string) => void },
): PrimaryRelay {
  const sentinels = endpoint.sentinels.map((url) =>
    openRedis({ url, name: `sentinel@${new URL(url).host}`, log, tls, onMode, anyRole: true }),
  );
  const primaryNow = () => askForPrimary(sentinels, endpoint.primaryName);
  const open = new Map<Socket, Primary>();

  let lastReason = '';
  /** The link only sees that its socket was closed, so the reason is logged here. */
  const logReason = (reason: string) => {
    if (reason !== '' && reason !== lastReason)
      log.warn({ reason }, 'no connection to the redis primary');
    lastReason = reason;
  };

  const relayConnection = async (from: Socket) => {
    from.on('error', () => {});
    from.setNoDelay(true);
    const primary = await primaryNow();
    if (!primary)
      logReason(`no Sentinel responds, or none knows a primary named ${endpoint.primaryName}`);
    if (!primary || from.destroyed) return void from.destroy();
    const to = connectTo(primary, endpoint.tls ? tls : undefined);
    open.set(from, primary);
    pipeline(from, to, from, (error) => {
      const ended = !error || error.code === 'ERR_STREAM_PREMATURE_CLOSE';
      logReason(ended ? '' : `${primary.host}:${primary.port}: ${messageOf(error)}`);
      open.delete(from);
      from.destroy();
      to.destroy();
    });
  };
  // A primary that is cut off from the Sentinels, but not from us, still responds.
  const closeOutdated = async () => {
    const primary = open.size > 0 && (await primaryNow());
    if (!primary) return;
    for (const [from, { host, port }] of open) {
      if (host !== primary.host || port !== primary.port) from.destroy();
    }
  };

  const path = socketPath();
  const server = createServer((from) => void relayConnection(from)).listen(path);
  const pollTimer = setInterval(() => void closeOutdated(), POLL_EVERY_MS);
  return {
    path,
    close: async () => {
      clearInterval(pollTimer);
      server.close();
      for (const from of open.keys()) from.destroy();
      await Promise.all(sentinels.map((link) => link.close()));
    },
  };
}

/** Returns the primary of the latest failover; `undefined` if no Sentinel responds or knows it. */
async function askForPrimary(
  sentinels: readonly RedisLink[],
  name: string,
): Promise<Primary | undefined> {
  const asked = sentinels.map(async (link) => {
    await link.ready(ASK_DEADLINE_MS);
    return await link.run(ASK_DEADLINE_MS, (client) =>
      client.sendCommand(['SENTINEL', 'MASTER', name]),
    );
  });
  const replies = (await Promise.allSettled(asked)).flatMap((reply) =>
    reply.status === 'fulfilled' ? [reply.value as unknown as Record<string, string>] : [],
  );
  // A Sentinel that was cut off knows an older primary: each failover raises the epoch.
  const [newest] = replies.sort((a, b) => Number(b['config-epoch']) - Number(a['config-epoch']));
  return newest?.ip ? { host: newest.ip, port: Number(newest.port) } : undefined;
}

function connectTo(primary: Primary, tls: RedisTls | undefined): Socket {
  const options = { ...primary, noDelay: true, keepAlive: true };
  const socket = tls ? connectTls({ ...options, ...tls }) : connectTcp(options);
  socket.setTimeout(CONNECT_DEADLINE_MS, () => socket.destroy());
  socket.once(tls ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
  return socket;
}

/** On Linux, an abstract socket, which leaves no file behind. */
function socketPath(): string {
  const name = `lastframe-${randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}
