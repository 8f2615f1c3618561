import type { Socket } from 'node:net';

/** Node's internal counters, from which its timeouts see that a write makes progress. */
interface Handle {
  bytesWritten: number;
  writeQueueSize: number;
}

/**
 * Returns how many bytes the kernel has taken from a connection so far. `Socket` itself counts a
 * write only once it is done, so an 8 MB frame would show no progress until all of it is sent.
 */
export function sentBytes(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<Handle> | null };
  const { bytesWritten, writeQueueSize } = handle ?? {};
  return bytesWritten !== undefined && writeQueueSize !== undefined
    ? bytesWritten - writeQueueSize
    : socket.bytesWritten - socket.writableLength;
}
