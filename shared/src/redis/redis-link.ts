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
   * Keep commands while disconnected and send them later. Only for BullMQ's worker, which counts on
   * it; everything else must know at once that Redis is away.
   */
  offlineQueue?: boolean;
  /** For a URL that begins with `rediss`. */
  tls?: RedisTls;
  /** A Unix socket that leads there, instead of the host in the URL. */
  path?: string;
  /** A replica will do: nothing is read or written here. */
  anyRole?: boolean;
  /** What kind of Redis answered first: `standalone`, `cluster` or `sentinel`. */
  onMode?: (mode: string) => void;
  /** It was lost and is there again. */
  onReconnect?: () => void;
  /** A HELLO without answer for so long means that the connection is dead. */
  pingDeadlineMs?: number;
}

/** A connection to Redis that notices when it is dead, comes back by itself and never hangs. */
export interface RedisLink {
  readonly client: RedisClient;
  readonly isReady: boolean;
  /**
   * Runs a command with a deadline that also holds on a half-open socket.
   * @throws RedisUnavailableError when it is not answered in time; it may take effect all the same
   */
  run<T>(deadlineMs: number, command: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Waits until it is connected, its first attempt has failed, or this time is over. */
  ready(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

const PING_EVERY_MS = 500;
const PING_DEADLINE_MS = 1000;
/** What BullMQ sends is not heard here when it is answered, and a busy worker's HELLO waits behind it. */
const UNHEARD_PING_DEADLINE_MS = 3000;
/** Nothing else ends a handshake that is never answered. */
const SILENCE_MS = 1500;
/** Above BullMQ's blocking wait (`drainDelay`, 5 s), or its idle connection would die in a loop. */
const BLOCKING_SILENCE_MS = 8000;

/** Begins to connect and returns at once; a Redis that is away is tried until it is there. */
export function openRedis(options: RedisLinkOptions): RedisLink {
  const { name, log, anyRole = false, offlineQueue = false } = options;
  const { pingDeadlineMs = offlineQueue ? UNHEARD_PING_DEADLINE_MS : PING_DEADLINE_MS } = options;
  const client = createClient(clientOptions(options));
  let closed = false;
  let told: 'connected' | 'lost' | undefined;
  let wasReplica = false;
  let mode: string | undefined;
  let wasReady = false;
  let answeredMs = 0;
  client.on('ready', () => {
    if (told !== 'connected') log.info({ redis: name }, 'redis connected');
    told = 'connected';
    if (wasReady) options.onReconnect?.();
    wasReady = true;
  });
  const tellLost = (reason: string) => {
    // One line per change of state; a Redis that is away for an hour is not 10,000 lines.
    if (told === 'lost' || closed) return;
    const what = told === undefined ? 'redis can not be reached' : 'redis lost';
    log.warn({ redis: name, reason }, what);
    told = 'lost';
  };
  client.on('error', (error) => tellLost(messageOf(error)));
  const connect = () => void client.connect().catch(() => {});
  connect();

  const run: RedisLink['run'] = async (deadlineMs, command) => {
    if (!client.isReady) throw new RedisUnavailableError(`Redis (${name}) is not connected`);
    const answer = command(client);
    answer.then(noteAnswer, () => {});
    return await withDeadline(answer, deadlineMs, name);
  };
  const noteAnswer = () => {
    answeredMs = performance.now();
  };

  const reconnect = () => {
    client.destroy();
    connect();
  };
  const judge = (role: string) => {
    if (role !== 'replica') wasReplica = false;
    // Only a ready connection is replaced: during a reconnect node-redis is at it already, and a
    // second connect() beside it would leave two sockets.
    if (anyRole || role !== 'replica' || closed || !client.isReady) return;
    if (!wasReplica) log.warn({ redis: name }, 'redis is a replica; its address is tried again');
    wasReplica = true;
    reconnect();
  };
  const giveUp = (askedMs: number) => {
    if (closed || !client.isReady) return;
    // It waits behind all that was sent before, of which some was answered: much to do, not dead.
    if (answeredMs > askedMs) return;
    tellLost('no answer to HELLO');
    reconnect();
  };

  const watch = setInterval(() => {
    if (!client.isReady) return;
    const askedMs = performance.now();
    // HELLO is a PING that tells the role, and is answered also while writes are refused (a full
    // disk, loading). A primary that became a replica stays connected: its address leads elsewhere.
    withDeadline(client.hello(), pingDeadlineMs, name).then(
      (hello) => {
        if (mode === undefined && !closed) options.onMode?.(hello.mode);
        mode = hello.mode;
        judge(String(hello.role));
      },
      (error) => error instanceof ErrorReply || giveUp(askedMs),
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
      clearInterval(watch);
      if (client.isReady) await withDeadline(client.close(), 1000, name).catch(() => {});
      client.destroy();
    },
  };
}

function clientOptions(options: RedisLinkOptions): RedisClientOptions {
  const { url, name, offlineQueue = false, path, tls } = options;
  return {
    url,
    name: `lastframe:${name}`,
    disableOfflineQueue: !offlineQueue,
    commandsQueueMaxLength: 20_000,
    // `run` has its own deadline. node-redis would give each command an abort signal, which costs as
    // much as the command and goes off, unheard, seconds after it was answered.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    socket: {
      ...(path !== undefined && { path }),
      ...(new URL(url).protocol === 'rediss:' && tls),
      connectTimeout: SILENCE_MS,
      socketTimeout: offlineQueue ? BLOCKING_SILENCE_MS : SILENCE_MS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 500) * (0.5 + Math.random() / 2),
    },
  };
}

/**
 * By hand, not by `Promise.race`: this is on every command's way. After a pause timers come before
 * sockets, and a process with more to do than its CPU allows pauses all the time: the reply may lie
 * there unread. Without a look at it a busy fleet would take its own Redis for dead.
 */
function withDeadline<T>(work: Promise<T>, deadlineMs: number, name: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = () =>
      reject(new RedisUnavailableError(`Redis (${name}) did not answer within ${deadlineMs} ms`));
    const timer = setTimeout(() => setImmediate(late), deadlineMs);
    // Who loses may still fail, and is heard here.
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
