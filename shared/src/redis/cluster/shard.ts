/**
 * Cameras are spread over 256 shards by the first two digits of their id, whatever the number of
 * nodes. A shard is the hash tag of its keys and its channel, which puts them in one slot of a
 * Redis Cluster: a script may then announce what it stores.
 */
export type Shard = string;

export function shardOf(cameraId: string): Shard {
  return cameraId.slice(0, 2);
}

export const SHARDS: readonly Shard[] = Array.from({ length: 256 }, (_, n) =>
  n.toString(16).padStart(2, '0'),
);

/** Returns the Redis Cluster slot of every key with the hash tag `{shard}` (CRC16/XMODEM). */
export function slotOf(shard: Shard): number {
  let crc = 0;
  for (const byte of Buffer.from(shard)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc % 16_384;
}
