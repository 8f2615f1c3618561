import type { Socket } from 'node:net';

/** Node's own counters of a connection, by which its timeouts notice that a write makes progress. */
interface Handle {
  bytesWritten: number;
  writeQueueSize: number;
}

/**
 * How many bytes the kernel has taken from a connection so far. What `Socket` itself tells counts a
 * write as done or not done: of a frame of 8 MB nothing is seen until all of it is gone.
 */
export function takenBytes(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<Handle> | null };
  const { bytesWritten, writeQueueSize } = handle ?? {};
  return bytesWritten !== undefined && writeQueueSize !== undefined
    ? bytesWritten - writeQueueSize
    : socket.bytesWritten - socket.writableLength;
}
