import { once } from 'node:events';
import { createClient, ErrorReply, type RedisClientOptions } from 'redis';
import { messageOf, RedisUnavailableError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import type { RedisTls } from './redis-tls.ts';

export type RedisClient = ReturnType<typeof createClient>;

export interface RedisLinkOptions {
  url: string;
  /** What the connection is for, in logs and in `CLIENT LIST`. */
  name: string;
  log: Log;
  /**
   * Queues commands while disconnected. Only for BullMQ's worker, which relies on it; everything
   * else must fail at once while Redis is unreachable.
   */
  offlineQueue?: boolean;
  /** For URLs that begin with `rediss`. */
  tls?: RedisTls;
  /** A Unix socket to connect to instead of the host in the URL. */
  path?: string;
  /** Accepts a replica, because nothing is read or written here. */
  anyRole?: boolean;
  /** Called once with the kind of Redis: `standalone`, `cluster` or `sentinel`. */
  onMode?: (mode: string) => void;
  /** Called when a lost connection is up again. */
  onReconnect?: () => void;
  /** A HELLO without a reply for this long means a dead connection, unless other replies came. */
  pingDeadlineMs?: number;
}

/** A connection to Redis that detects when it is dead, reconnects and never hangs. */
export interface RedisLink {
  readonly client: RedisClient;
  readonly isReady: boolean;
  /**
   * Runs a command with a deadline that also holds on a half-open socket.
   * @throws RedisUnavailableError if no reply comes in time; the command may still take effect
   */
  run<T>(deadlineMs: number, command: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Waits until connected, until the first attempt has failed, or for `withinMs`. */
  ready(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

const PING_EVERY_MS = 500;
const PING_DEADLINE_MS = 1000;
/** For BullMQ: its replies are not seen here, and a busy worker's HELLO waits behind them. */
const UNHEARD_PING_DEADLINE_MS = 3000;
/** Nothing else ends a handshake without a reply. */
const SILENCE_MS = 1500;
/** Above BullMQ's blocking wait (`drainDelay`, 5 s), or its idle connection would die in a loop. */
const BLOCKING_SILENCE_MS = 8000;
/**
 * node-redis stops writing when the socket's buffer is full, and goes on in the next turn of the
 * event loop. With Node's 64 KiB, a busy worker stores three small frames per turn, or one.
 */
const SOCKET_BUFFER: object = { writableHighWaterMark: 16 * 1024 ** 2 };

/**
 * Never connected. `createClient` builds a class with a thousand commands for each new set of
 * options, which takes 20 ms; duplicates share one.
 */
const baseClient: RedisClient = createClient({ maintNotifications: 'disabled' });

/** Starts to connect and returns at once; retries until Redis is reachable. */
export function openRedis(options: RedisLinkOptions): RedisLink {
  const { name, log, anyRole = false, offlineQueue = false } = options;
  const { pingDeadlineMs = offlineQueue ? UNHEARD_PING_DEADLINE_MS : PING_DEADLINE_MS } = options;
  const client = baseClient.duplicate(clientOptions(options));
  let closed = false;
  let loggedState: 'connected' | 'lost' | undefined;
  let wasReplica = false;
  let mode: string | undefined;
  let wasReady = false;
  let repliedMs = 0;
  client.on('ready', () => {
    if (loggedState !== 'connected') log.info({ redis: name }, 'redis connected');
    loggedState = 'connected';
    if (wasReady) options.onReconnect?.();
    wasReady = true;
  });
  const logLost = (reason: string) => {
    // One line per change of state: an hour without Redis must not log 10,000 lines.
    if (loggedState === 'lost' || closed) return;
    const what = loggedState === undefined ? 'redis cannot be reached' : 'redis lost';
    log.warn({ redis: name, reason }, what);
    loggedState = 'lost';
  };
  client.on('error', (error) => logLost(messageOf(error)));
  const connect = () => void client.connect().catch(() => {});
  connect();

  const run: RedisLink['run'] = async (deadlineMs, command) => {
    if (!client.isReady) throw new RedisUnavailableError(`Redis (${name}) is not connected`);
    const reply = command(client);
    reply.then(noteReply, () => {});
    return await withDeadline(reply, deadlineMs, name);
  };
  const noteReply = () => {
    repliedMs = performance.now();
  };

  const reconnect = () => {
    client.destroy();
    connect();
  };
  const checkRole = (role: string) => {
    if (role !== 'replica') wasReplica = false;
    // Only a ready connection is replaced: while node-redis reconnects, a second connect() would
    // leave two sockets.
    if (anyRole || role !== 'replica' || closed || !client.isReady) return;
    if (!wasReplica) log.warn({ redis: name }, 'redis is a replica; reconnecting');
    wasReplica = true;
    reconnect();
  };
  const onSilence = (askedMs: number) => {
    if (closed || !client.isReady) return;
    // HELLO waits behind earlier commands. Replies to those mean that Redis is busy, not dead.
    if (repliedMs > askedMs) return;
    logLost('no reply to HELLO');
    reconnect();
  };

  const pingTimer = setInterval(() => {
    if (!client.isReady) return;
    const askedMs = performance.now();
    // HELLO is a PING that returns the role, and works even while writes are rejected (full disk,
    // loading). A primary demoted to a replica stays connected, but its address leads elsewhere.
    withDeadline(client.hello(), pingDeadlineMs, name).then(
      (hello) => {
        if (mode === undefined && !closed) options.onMode?.(hello.mode);
        mode = hello.mode;
        checkRole(String(hello.role));
      },
      (error) => error instanceof ErrorReply || onSilence(askedMs),
    );
  }, PING_EVERY_MS);

  return {
    client,
    run,
    get isReady() {
      return client.isReady;
    },
    ready: async (withinMs) => {
      if (client.isReady) return;
      await withDeadline(once(client, 'ready'), withinMs, name).catch(() => {});
    },
    close: async () => {
      if (closed) return;
      closed = true;
      clearInterval(pingTimer);
      if (client.isReady) await withDeadline(client.close(), 1000, name).catch(() => {});
      client.destroy();
    },
  };
}

function clientOptions(options: RedisLinkOptions) {
  const { url, name, offlineQueue = false, path, tls } = options;
  return {
    url,
    name: `lastframe:${name}`,
    disableOfflineQueue: !offlineQueue,
    commandsQueueMaxLength: 20_000,
    // `run` has its own deadline. node-redis would create an abort signal for each command, which
    // costs as much as the command and fires seconds after the reply.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    socket: {
      ...(path !== undefined && { path }),
      ...(new URL(url).protocol === 'rediss:' && tls),
      ...SOCKET_BUFFER,
      connectTimeout: SILENCE_MS,
      socketTimeout: offlineQueue ? BLOCKING_SILENCE_MS : SILENCE_MS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 500) * (0.5 + Math.random() / 2),
    },
  } satisfies RedisClientOptions;
}

/**
 * Avoids `Promise.race`, because every command passes here. After a pause, timers run before
 * sockets, so the reply may be waiting unread. `setImmediate` lets it be read first: otherwise a
 * process short of CPU, which pauses all the time, would consider its own Redis dead.
 */
function withDeadline<T>(work: Promise<T>, deadlineMs: number, name: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = () =>
      reject(new RedisUnavailableError(`Redis (${name}) did not respond within ${deadlineMs} ms`));
    const timer = setTimeout(() => setImmediate(late), deadlineMs);
    // This also handles a rejection after the deadline.
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
