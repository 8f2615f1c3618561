import { randomUUID } from 'node:crypto';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../../process/errors.ts';
import type { Log } from '../../process/log.ts';
import type { RedisPlace } from '../../settings/redis-url.ts';
import { openRedis, type RedisLink } from '../redis-link.ts';
import type { RedisTls } from '../redis-tls.ts';

/**
 * Leads each new connection to whom the Sentinels call the primary at that moment.
 *
 * So every link stays what it is, with its deadlines, its HELLO and no offline queue, and comes to
 * the new primary by connecting anew, as behind a service name. node-redis's own Sentinel client
 * keeps commands over a failover, which a permit must never be.
 */
export interface PrimaryRelay {
  /** The Unix socket that leads there. */
  readonly path: string;
  close(): Promise<void>;
}

interface Primary {
  host: string;
  port: number;
}

const ASK_DEADLINE_MS = 500;
const CONNECT_DEADLINE_MS = 1500;
const LOOK_EVERY_MS = 1000;

export function openPrimaryRelay(
  place: Extract<RedisPlace, { kind: 'sentinel' }>,
  { tls, log, onMode }: { tls: RedisTls; log: Log; onMode: (mode: string) => void },
): PrimaryRelay {
  const sentinels = place.sentinels.map((url) =>
    openRedis({ url, name: `sentinel@${new URL(url).host}`, log, tls, onMode, anyRole: true }),
  );
  const primaryNow = () => askForPrimary(sentinels, place.primaryName);
  const open = new Map<Socket, Primary>();

  let told = '';
  /** The link behind the socket sees only that it was closed. */
  const tell = (reason: string) => {
    if (reason !== '' && reason !== told) log.warn({ reason }, 'no way to the redis primary');
    told = reason;
  };

  const lead = async (from: Socket) => {
    from.on('error', () => {});
    from.setNoDelay(true);
    const primary = await primaryNow();
    if (!primary) tell(`no Sentinel answers, or knows a primary ${place.primaryName}`);
    if (!primary || from.destroyed) return void from.destroy();
    const to = connectTo(primary, place.tls ? tls : undefined);
    open.set(from, primary);
    pipeline(from, to, from, (error) => {
      const ended = !error || error.code === 'ERR_STREAM_PREMATURE_CLOSE';
      tell(ended ? '' : `${primary.host}:${primary.port}: ${messageOf(error)}`);
      open.delete(from);
      from.destroy();
      to.destroy();
    });
  };
  // A primary that is cut off from the Sentinels, but not from us, answers on.
  const leaveOthers = async () => {
    const primary = open.size > 0 && (await primaryNow());
    if (!primary) return;
    for (const [from, { host, port }] of open) {
      if (host !== primary.host || port !== primary.port) from.destroy();
    }
  };

  const path = socketPath();
  const server = createServer((from) => void lead(from)).listen(path);
  const watch = setInterval(() => void leaveOthers(), LOOK_EVERY_MS);
  return {
    path,
    close: async () => {
      clearInterval(watch);
      server.close();
      for (const from of open.keys()) from.destroy();
      await Promise.all(sentinels.map((link) => link.close()));
    },
  };
}

/** What most of the Sentinels agreed on last; undefined when none of them answers or knows it. */
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
  const answers = (await Promise.allSettled(asked)).flatMap((answer) =>
    answer.status === 'fulfilled' ? [answer.value as unknown as Record<string, string>] : [],
  );
  // One that was cut off knows an older one: each failover has a higher number.
  const [newest] = answers.sort((a, b) => Number(b['config-epoch']) - Number(a['config-epoch']));
  return newest?.ip ? { host: newest.ip, port: Number(newest.port) } : undefined;
}

function connectTo(primary: Primary, tls: RedisTls | undefined): Socket {
  const options = { ...primary, noDelay: true, keepAlive: true };
  const socket = tls ? connectTls({ ...options, ...tls }) : connectTcp(options);
  socket.setTimeout(CONNECT_DEADLINE_MS, () => socket.destroy());
  socket.once(tls ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
  return socket;
}

/** In the kernel's own name space where there is one (Linux): it leaves no file behind. */
function socketPath(): string {
  const name = `lastframe-${randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}
