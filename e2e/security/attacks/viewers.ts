import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMsOf } from '../../../bench/load/camera-frame.ts';
import { createFigures, machineMs, type Picture } from './viewer-figures.ts';

export interface Viewer {
  api: string;
  /** Query of `/stream` and `/events`. */
  stream: string;
  /** Target of the image. */
  image: string;
}

/** Not the attackers' address: limits per client must not affect these viewers. */
const VIEWERS_ADDRESS = '127.0.0.2';
const POLL_EVERY_MS = 250;
/** Viewers keep reopening streams, which shows whether there is room for new ones. */
const STREAM_FOR_MS = 5000;
const REOPEN_MS = 500;
const TIMEOUT_MS = 20_000;
/** Follows each picture of an MJPEG stream. */
const BOUNDARY = Buffer.from('\r\n--frame\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

/** Starts 30 viewers that poll, 10 with MJPEG streams and 10 with events, spread over `all`. */
export function startViewers(all: readonly Viewer[]) {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 100, localAddress: VIEWERS_ADDRESS });
  const figures = createFigures();
  const run = (kind: (viewer: Viewer, context: Context) => Promise<void>, count: number) =>
    Array.from({ length: count }, async (_, n) => {
      const viewer = all[n % all.length];
      const picture = figures.picture();
      while (viewer && !stopping.signal.aborted) {
        await kind(viewer, { agent, figures, picture, signal: stopping.signal });
      }
    });
  const done = Promise.all([...run(poll, 30), ...run(watchPictures, 10), ...run(listen, 10)]);
  return {
    /** Returns the figures since the previous call, or since the start. */
    take: () => figures.take(),
    stop: async () => {
      stopping.abort();
      await done;
      agent.destroy();
    },
  };
}

interface Context {
  agent: Agent;
  figures: ReturnType<typeof createFigures>;
  picture: Picture;
  signal: AbortSignal;
}

async function poll({ api, image }: Viewer, context: Context): Promise<void> {
  const { agent, figures, picture, signal } = context;
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    const chunks: Buffer[] = [];
    const fail = (what: string) => {
      if (!signal.aborted) figures.failed(`image: ${what}`);
      resolve();
    };
    const req = get(api + image, { agent, timeout: TIMEOUT_MS }, (res) => {
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', (error) => fail(error.message));
      res.on('end', () => {
        if (res.statusCode !== 200) return fail(`status ${res.statusCode}`);
        figures.hit(performance.now() - startedMs);
        picture.replaceWith(startMsOf(Buffer.concat(chunks)));
        resolve();
      });
    });
    req.on('timeout', () => req.destroy(new Error(`no response within ${TIMEOUT_MS} ms`)));
    req.on('error', (error) => fail(error.message));
  });
  await pause(Math.max(0, startedMs + POLL_EVERY_MS - performance.now()), signal);
}

async function watchPictures(viewer: Viewer, context: Context): Promise<void> {
  let rest = Buffer.alloc(0);
  await openStream(`${viewer.api}/stream?${viewer.stream}`, context, (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(BOUNDARY); end >= 0; end = rest.indexOf(BOUNDARY)) {
      const begin = rest.indexOf(HEAD_END);
      const bytes = rest.subarray(begin + HEAD_END.length, end);
      if (bytes.length > 0) {
        context.figures.streamed();
        context.picture.replaceWith(startMsOf(bytes));
      }
      rest = rest.subarray(end + BOUNDARY.length);
    }
  });
}

async function listen(viewer: Viewer, context: Context): Promise<void> {
  let rest = '';
  await openStream(`${viewer.api}/events?${viewer.stream}`, context, (chunk) => {
    const blocks = (rest + chunk.toString()).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const startedAt = /^event: frame$/m.test(block) && /"startedAt":"([^"]+)"/.exec(block)?.[1];
      if (!startedAt) continue;
      context.figures.event();
      // Redis stamps it with this machine's wall clock.
      context.picture.replaceWith(machineMs() - (Date.now() - Date.parse(startedAt)));
    }
  });
}

/** Holds a stream for a while, then pauses, so that another client may take its place. */
async function openStream(
  url: string,
  { figures, picture, signal }: Context,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  const isOver = AbortSignal.any([signal, AbortSignal.timeout(STREAM_FOR_MS)]);
  const failure = await new Promise<string | undefined>((resolve) => {
    const onAnswer = (res: IncomingMessage) => {
      res.on('error', () => {});
      if (res.statusCode !== 200) return resolve(`status ${res.statusCode}`);
      res.on('data', onData);
      res.on('close', () => resolve(undefined));
    };
    const options = { agent: false, localAddress: VIEWERS_ADDRESS, signal: isOver } as const;
    get(url, options, onAnswer).on('error', ({ message }) =>
      resolve(isOver.aborted ? undefined : message),
    );
  });
  if (failure !== undefined) figures.failed(`stream: ${failure}`);
  picture.remove();
  await pause(REOPEN_MS, signal);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
