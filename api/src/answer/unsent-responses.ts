import type { Socket } from 'node:net';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Log } from '@lastframe/shared/process/log';
import { sentBytes } from './sent-bytes.ts';

/** Data written to a connection. */
export type Chunk = Uint8Array | string;

/**
 * Responses that clients have not taken yet. A slow client keeps its frame in memory, and with each
 * new frame another client may keep another one. So each connection has a minimum rate, and all
 * share one budget of bytes.
 */
export interface UnsentResponses {
  /**
   * Tracks a chunk that a connection did not take at once.
   * @param isUnsent returns whether part of the chunk is still unsent; called until it is not
   */
  add(socket: Socket, chunk: Chunk, isUnsent: () => boolean): void;
  /** Returns the bytes that only unsent responses keep in memory. */
  heldBytes(): number;
  close(): void;
}

export interface UnsentResponsesDeps {
  clock: Pick<Clock, 'monoMs'>;
  /** Bytes per second that a client must take; 0: no limit. */
  minSendRate: number;
  /** 0: no limit. */
  maxUnsentBytes: number;
  /** Returns the buffers that are in memory anyway. */
  keptBuffers: () => Iterable<ArrayBufferLike>;
  onDisconnect?: (cause: 'rate' | 'budget') => void;
  log: Pick<Log, 'warn' | 'debug'>;
  /** Shorter in tests. */
  windowMs?: number;
}

interface UnsentChunk {
  /** The buffer in memory, which many connections may share. */
  key: object;
  sizeBytes: number;
  /** Bytes that its connection had taken before it. */
  takenBefore: number;
  sinceMonoMs: number;
  isUnsent: () => boolean;
}

interface Backlog {
  chunks: UnsentChunk[];
  /** Time elapsed in the window over which its rate is measured. */
  windowMs: number;
  takenBefore: number;
}

interface HeldBuffer {
  sizeBytes: number;
  sockets: Set<Socket>;
  /** Rate of the fastest client that still reads it. */
  bytesPerMs: number;
}

const SWEEP_MS = 500;
/** The kernel takes bytes in bursts, so the rate of a slow link shows only over a longer time. */
const WINDOW_MS = 30_000;

export function createUnsentResponses(deps: UnsentResponsesDeps): UnsentResponses {
  const { clock, minSendRate, maxUnsentBytes, keptBuffers, onDisconnect, log } = deps;
  const { windowMs: windowLengthMs = WINDOW_MS } = deps;
  const sweepMs = Math.min(SWEEP_MS, windowLengthMs / 4);
  const backlogs = new Map<Socket, Backlog>();
  let timer: NodeJS.Timeout | undefined;
  let sweptMonoMs = 0;
  const newKeys = new Set<object>();
  let newBytes = 0;

  const cut = (socket: Socket, cause: 'rate' | 'budget') => {
    backlogs.delete(socket);
    // A reset, so that the kernel frees untaken bytes too.
    socket.resetAndDestroy();
    onDisconnect?.(cause);
    log.debug({ cause }, 'slow client disconnected');
  };
  const cutBelowRate = (passedMs: number) => {
    for (const [socket, backlog] of backlogs) {
      backlog.windowMs += passedMs;
      if (backlog.windowMs < windowLengthMs) continue;
      const taken = sentBytes(socket);
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
    // Buffers that only slow clients read go first. A buffer is freed only when its last reader is
    // gone, so disconnecting the slow readers of one that others read too would gain nothing.
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
    // While this process was paused, no client could take anything.
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
      const takenBefore = sentBytes(socket);
      const sinceMonoMs = clock.monoMs();
      backlog.chunks.push({ key, sizeBytes, takenBefore, sinceMonoMs, isUnsent });
      if (newKeys.has(key)) return;
      newKeys.add(key);
      // A burst does not wait for the next sweep.
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
  return { chunks: [], windowMs: 0, takenBefore: sentBytes(socket) };
}

/** A view keeps its whole buffer in memory; a string is not shared. */
function keptBy(chunk: Chunk): Pick<UnsentChunk, 'key' | 'sizeBytes'> {
  return typeof chunk === 'string'
    ? { key: {}, sizeBytes: chunk.length }
    : { key: chunk.buffer, sizeBytes: chunk.buffer.byteLength };
}

/**
 * Estimates a client's rate in bytes per ms. What the kernel took at once says nothing about the
 * client, so a new one is assumed to read 256 KiB/s until its own rate shows.
 */
function rateOf(takenSinceBytes: number, sinceMs: number): number {
  return (takenSinceBytes + 256 * 1024) / (sinceMs + 1000);
}

/** Returns each buffer once, with the rate of its fastest reader, and their total size. */
function heldBuffers(backlogs: ReadonlyMap<Socket, Backlog>, nowMonoMs: number) {
  const buffers = new Map<object, HeldBuffer>();
  let bytes = 0;
  for (const [socket, { chunks }] of backlogs) {
    const taken = sentBytes(socket);
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
