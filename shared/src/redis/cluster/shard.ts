/**
 * The cameras are dealt out to 256 shards by the first two digits of their id. A shard's keys and
 * its channel carry it as their hash tag, so that on a Redis Cluster they are in one slot: a script
 * may then announce what it stores. How many nodes there are doesn't matter.
 */
export type Shard = string;

export function shardOf(cameraId: string): Shard {
  return cameraId.slice(0, 2);
}

export const SHARDS: readonly Shard[] = Array.from({ length: 256 }, (_, n) =>
  n.toString(16).padStart(2, '0'),
);

/** The slot of a Redis Cluster in which every key with the hash tag `{shard}` is (CRC16/XMODEM). */
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
