import { createHash } from 'node:crypto';

/** A received Server-Sent Event. */
export interface ReceivedEvent {
  event: string;
  id: string | undefined;
  data: EventData;
  atMs: number;
}

export interface EventData {
  camera?: string;
  url?: string;
  etag?: string;
  health: string;
  healthSince?: string;
  reason?: string;
  ageMs?: number;
  width?: number;
  startedAt?: string;
  capturedAt?: string;
}

/** An open stream; `seen` holds what has arrived so far. */
export interface OpenStream<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly received: readonly T[];
  /** Returns everything received, for checks that something is absent. */
  text(): string;
  /** Resolves when the server ends the stream cleanly; rejects when it is cut off. */
  readonly ended: Promise<void>;
  close(): void;
}

export async function openEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<OpenStream<ReceivedEvent> & { retries: number[]; heartbeats: () => number }> {
  const retries: number[] = [];
  let heartbeats = 0;
  const received: ReceivedEvent[] = [];
  const onChunk = readBlocks((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const event = field('event');
    if (block.startsWith(':')) heartbeats += 1;
    const retry = field('retry');
    if (retry !== undefined) retries.push(Number(retry));
    if (event === undefined) return;
    const data = JSON.parse(field('data') ?? '') as EventData;
    received.push({ event, id: field('id'), data, atMs: performance.now() });
  });
  const stream = await openStream(url, received, onChunk, { headers });
  return Object.assign(stream, { retries, heartbeats: () => heartbeats });
}

/** Returns a function that takes the chunks of `/events` and passes on each block of lines. */
export function readBlocks(onBlock: (block: string) => void): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const blocks = (rest + chunk.toString()).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) onBlock(block);
  };
}

/** A picture of an MJPEG stream. Like a browser, it counts once the next boundary arrives. */
export interface ReceivedPicture {
  etag: string;
  sizeBytes: number;
  atMs: number;
}

const BEGIN = Buffer.from('\r\n\r\n');
const END = Buffer.from('\r\n--frame\r\n');

export async function openMjpeg(
  url: string,
  { paused }: { paused?: Promise<unknown> } = {},
): Promise<OpenStream<ReceivedPicture>> {
  const received: ReceivedPicture[] = [];
  const onChunk = readPictures((bytes) => {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const etag = `"sha256-${hash}"`;
    received.push({ etag, sizeBytes: bytes.length, atMs: performance.now() });
  });
  return await openStream(url, received, onChunk, { paused });
}

/** Returns a function that takes the chunks of `/stream` and passes on each whole picture. */
export function readPictures(onPicture: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const begin = rest.indexOf(BEGIN);
      const end = begin < 0 ? -1 : rest.indexOf(END, begin + BEGIN.length);
      if (end < 0) return;
      onPicture(rest.subarray(begin + BEGIN.length, end));
      rest = rest.subarray(end + 2);
    }
  };
}

async function openStream<T>(
  url: string,
  received: readonly T[],
  onChunk: (chunk: Buffer) => void,
  options: { headers?: Record<string, string>; paused?: Promise<unknown> | undefined },
): Promise<OpenStream<T>> {
  const closing = new AbortController();
  const { headers = {}, paused } = options;
  const answer = await fetch(url, { headers, signal: closing.signal });
  const all: Buffer[] = [];
  const read = async () => {
    await paused;
    for await (const part of answer.body ?? []) {
      const chunk = Buffer.from(part as Uint8Array);
      if (all.length < 10_000) all.push(chunk);
      onChunk(chunk);
    }
  };
  const ended = read();
  ended.catch(() => {}); // callers may ignore it
  return {
    status: answer.status,
    headers: answer.headers,
    received,
    text: () => Buffer.concat(all).toString('latin1'),
    ended,
    close: () => closing.abort(),
  };
}
