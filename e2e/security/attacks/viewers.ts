import { Agent, get, type RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMsOf } from '../../../bench/load/camera-frame.ts';
import { readBlocks, readPictures } from '../../../testing/viewers/streams.ts';
import { createFigures, machineMs } from './viewer-figures.ts';

export interface Viewer {
  api: string;
  /** Query of `/stream` and `/events`. */
  stream: string;
  /** Target of the image. */
  image: string;
}

/** Not the attackers' address: limits per client must not affect these viewers. */
const localAddress = '127.0.0.2';
const POLL_EVERY_MS = 250;
/** Viewers keep reopening streams, which shows whether there is room for new ones. */
const STREAM_FOR_MS = 5000;
const REOPEN_MS = 500;
const TIMEOUT_MS = 20_000;

/** Starts 30 viewers that poll, 10 with MJPEG streams and 10 with events, spread over `all`. */
export function startViewers(all: readonly Viewer[]) {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 100, localAddress });
  const figures = createFigures();
  const run = (kind: (viewer: Viewer, context: Context) => Promise<void>, count: number) =>
    Array.from({ length: count }, async (_, n) => {
      const viewer = all[n % all.length];
      const context = { agent, figures, show: figures.addViewer(), signal: stopping.signal };
      while (viewer && !stopping.signal.aborted) await kind(viewer, context);
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
  /** Records the picture that the viewer has, by the start of its call. */
  show: (startMs?: number) => void;
  signal: AbortSignal;
}

async function poll({ api, image }: Viewer, context: Context): Promise<void> {
  const { agent, figures, show, signal } = context;
  const startedMs = performance.now();
  const chunks: Buffer[] = [];
  const failure = await receive(api + image, { agent }, (chunk) => chunks.push(chunk));
  if (failure === undefined) {
    figures.current.latenciesMs.push(performance.now() - startedMs);
    show(startMsOf(Buffer.concat(chunks)));
  } else if (!signal.aborted) figures.current.failures.push(`image: ${failure}`);
  await pause(Math.max(0, startedMs + POLL_EVERY_MS - performance.now()), signal);
}

async function watchPictures(viewer: Viewer, context: Context): Promise<void> {
  const onData = readPictures((bytes) => {
    context.figures.current.pictures += 1;
    context.show(startMsOf(bytes));
  });
  await openStream(`${viewer.api}/stream?${viewer.stream}`, context, onData);
}

async function listen(viewer: Viewer, context: Context): Promise<void> {
  const onData = readBlocks((block) => {
    const startedAt = /^event: frame$/m.test(block) && /"startedAt":"([^"]+)"/.exec(block)?.[1];
    if (!startedAt) return;
    context.figures.current.events += 1;
    // Redis stamps it with this machine's wall clock.
    context.show(machineMs() - (Date.now() - Date.parse(startedAt)));
  });
  await openStream(`${viewer.api}/events?${viewer.stream}`, context, onData);
}

/** Holds a stream for a while, then pauses, so that another client may take its place. */
async function openStream(
  url: string,
  { figures, show, signal: stopped }: Context,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(STREAM_FOR_MS)]);
  const failure = await receive(url, { agent: false, localAddress, signal }, onData);
  if (failure !== undefined) figures.current.failures.push(`stream: ${failure}`);
  show();
  await pause(REOPEN_MS, stopped);
}

/** Requests a URL and passes on the body. Returns why there is none, if there is none. */
async function receive(
  url: string,
  options: RequestOptions,
  onData: (chunk: Buffer) => void,
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const req = get(url, { timeout: TIMEOUT_MS, ...options }, (res) => {
      if (res.statusCode !== 200) resolve(`status ${res.statusCode}`);
      res.on('data', onData);
      res.on('error', ({ message }) => resolve(options.signal ? undefined : message));
      res.on('close', () => resolve(undefined));
    });
    req.on('timeout', () => req.destroy(new Error(`no response within ${TIMEOUT_MS} ms`)));
    req.on('error', ({ message }) => resolve(options.signal?.aborted ? undefined : message));
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
