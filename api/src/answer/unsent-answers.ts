import type { Socket } from 'node:net';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Log } from '@lastframe/shared/process/log';
import { takenBytes } from './taken-bytes.ts';

/** What was handed to a connection. */
export type Chunk = Uint8Array | string;

/**
 * Answers that clients have not taken yet. A client that reads slowly keeps its frame in memory for
 * as long as it likes, and with every new frame another client may keep another one. So each
 * connection has a least rate, and all of them share one budget of bytes.
 */
export interface UnsentAnswers {
  /**
   * To be called only when a connection didn't take a chunk at once.
   * @param isUnsent asked until it says no: whether a part of the chunk is still here
   */
  add(socket: Socket, chunk: Chunk, isUnsent: () => boolean): void;
  /** Bytes that only unsent answers keep in memory. */
  heldBytes(): number;
  close(): void;
}

export interface UnsentAnswersDeps {
  clock: Pick<Clock, 'monoMs'>;
  /** Bytes per second that a client has to take; 0: no bound. */
  minSendRate: number;
  /** 0: no bound. */
  maxUnsentBytes: number;
  /** The buffers that are in memory anyway, whoever reads them. */
  keptBuffers: () => Iterable<ArrayBufferLike>;
  onCut?: (cause: 'rate' | 'budget') => void;
  log: Pick<Log, 'warn' | 'debug'>;
  /** Shorter for tests. */
  windowMs?: number;
}

interface UnsentChunk {
  /** What is kept in memory: one buffer, however many connections send it. */
  key: object;
  sizeBytes: number;
  /** What its connection had taken by then. */
  takenBefore: number;
  sinceMonoMs: number;
  isUnsent: () => boolean;
}

interface Backlog {
  chunks: UnsentChunk[];
  /** Of the window in which its rate is measured now. */
  windowMs: number;
  takenBefore: number;
}

interface HeldBuffer {
  sizeBytes: number;
  sockets: Set<Socket>;
  /** Of the fastest client that still reads it. */
  bytesPerMs: number;
}

const SWEEP_MS = 500;
/** The kernel takes bytes in lumps, so the rate of a slow link shows only over a longer time. */
const WINDOW_MS = 30_000;

export function createUnsentAnswers(deps: UnsentAnswersDeps): UnsentAnswers {
  const { clock, minSendRate, maxUnsentBytes, keptBuffers, onCut, log } = deps;
  const { windowMs: windowLengthMs = WINDOW_MS } = deps;
  const sweepMs = Math.min(SWEEP_MS, windowLengthMs / 4);
  const backlogs = new Map<Socket, Backlog>();
  let timer: NodeJS.Timeout | undefined;
  let sweptMonoMs = 0;
  const newKeys = new Set<object>();
  let newBytes = 0;

  const cut = (socket: Socket, cause: 'rate' | 'budget') => {
    backlogs.delete(socket);
    // A reset, so that the kernel too lets go of what is not taken.
    socket.resetAndDestroy();
    onCut?.(cause);
    log.debug({ cause }, 'slow client disconnected');
  };
  const cutBelowRate = (passedMs: number) => {
    for (const [socket, backlog] of backlogs) {
      backlog.windowMs += passedMs;
      if (backlog.windowMs < windowLengthMs) continue;
      const taken = takenBytes(socket);
      const leastBytes = (minSendRate * backlog.windowMs) / 1000;
      if (taken - backlog.takenBefore < leastBytes) cut(socket, 'rate');
      else Object.assign(backlog, { windowMs: 0, takenBefore: taken });
    }
  };
  const cutBeyondBudget = () => {
    if (maxUnsentBytes === 0) return;
    let { bytes, buffers } = heldBuffers(backlogs, clock.monoMs());
    if (bytes <= maxUnsentBytes) return;
    for (const kept of keptBuffers()) {
      bytes -= buffers.get(kept)?.sizeBytes ?? 0;
      buffers.delete(kept);
    }
    if (bytes <= maxUnsentBytes) return;
    const before = backlogs.size;
    // What only slow clients read goes first. A buffer is free when nobody reads it any more, so
    // cutting the slow readers of one that others read as well would gain nothing.
    const slowestFirst = [...buffers.values()].sort((a, b) => a.bytesPerMs - b.bytesPerMs);
    for (const { sizeBytes, sockets } of slowestFirst) {
      if (bytes <= maxUnsentBytes) break;
      for (const socket of sockets) if (backlogs.has(socket)) cut(socket, 'budget');
      bytes -= sizeBytes;
    }
    log.warn(
      { clients: before - backlogs.size, maxUnsentBytes },
      'too many unsent bytes: the slowest clients were disconnected',
    );
  };
  const sweep = () => {
    const nowMonoMs = clock.monoMs();
    // Where this process itself stood still, no client could take anything.
    const passedMs = Math.min(nowMonoMs - sweptMonoMs, 2 * sweepMs);
    sweptMonoMs = nowMonoMs;
    newKeys.clear();
    newBytes = 0;
    for (const [socket, backlog] of backlogs) {
      backlog.chunks = backlog.chunks.filter(({ isUnsent }) => isUnsent());
      if (socket.destroyed || backlog.chunks.length === 0) backlogs.delete(socket);
    }
    if (minSendRate > 0) cutBelowRate(passedMs);
    cutBeyondBudget();
    if (backlogs.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const start = () => {
    sweptMonoMs = clock.monoMs();
    timer = setInterval(sweep, sweepMs).unref();
  };

  return {
    add: (socket, chunk, isUnsent) => {
      if (socket.destroyed) return;
      if (!timer) start();
      const backlog = backlogs.get(socket) ?? newBacklog(socket);
      backlogs.set(socket, backlog);
      const { key, sizeBytes } = keptBy(chunk);
      const takenBefore = takenBytes(socket);
      const sinceMonoMs = clock.monoMs();
      backlog.chunks.push({ key, sizeBytes, takenBefore, sinceMonoMs, isUnsent });
      if (newKeys.has(key)) return;
      newKeys.add(key);
      // A burst doesn't wait for the next sweep.
      const wasLittle = newBytes <= maxUnsentBytes / 4;
      newBytes += sizeBytes;
      if (wasLittle && newBytes > maxUnsentBytes / 4) setImmediate(sweep);
    },
    heldBytes: () => {
      const { bytes, buffers } = heldBuffers(backlogs, clock.monoMs());
      if (bytes === 0) return 0;
      const kept = [...keptBuffers()].map((buffer) => buffers.get(buffer)?.sizeBytes ?? 0);
      return bytes - kept.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    },
    close: () => clearInterval(timer),
  };
}

function newBacklog(socket: Socket): Backlog {
  return { chunks: [], windowMs: 0, takenBefore: takenBytes(socket) };
}

/** A view keeps all of its buffer in memory; a text is nobody else's. */
function keptBy(chunk: Chunk): Pick<UnsentChunk, 'key' | 'sizeBytes'> {
  return typeof chunk === 'string'
    ? { key: {}, sizeBytes: chunk.length }
    : { key: chunk.buffer, sizeBytes: chunk.buffer.byteLength };
}

/**
 * What the kernel took at once says nothing about the client, and a client that has just begun isn't
 * slow: it is assumed to read 256 KiB/s, until more and more of its own rate is known.
 */
function rateOf(takenSinceBytes: number, sinceMs: number): number {
  return (takenSinceBytes + 256 * 1024) / (sinceMs + 1000);
}

/** Each buffer once, whoever reads it, and how fast its fastest reader is. */
function heldBuffers(backlogs: ReadonlyMap<Socket, Backlog>, nowMonoMs: number) {
  const buffers = new Map<object, HeldBuffer>();
  let bytes = 0;
  for (const [socket, { chunks }] of backlogs) {
    const taken = takenBytes(socket);
    for (const { key, sizeBytes, takenBefore, sinceMonoMs, isUnsent } of chunks) {
      if (!isUnsent()) continue;
      const known = buffers.get(key);
      const buffer = known ?? { sizeBytes, sockets: new Set<Socket>(), bytesPerMs: 0 };
      if (!known) {
        buffers.set(key, buffer);
        bytes += sizeBytes;
      }
      buffer.sockets.add(socket);
      const bytesPerMs = rateOf(taken - takenBefore, nowMonoMs - sinceMonoMs);
      buffer.bytesPerMs = Math.max(buffer.bytesPerMs, bytesPerMs);
    }
  }
  return { bytes, buffers };
}
