import { type Announcement, decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { SHARDS } from '@lastframe/shared/redis/cluster/shard';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import type { Fleet } from '../fleet/fleet.ts';

export type FrameAnnouncement = Extract<Announcement, { kind: 'frame' }>;

/** Subscribes to the announcements of new frames, as the api processes do. */
export async function subscribeToFrames(
  { redis, redisPrefix }: Fleet,
  onFrame: (announcement: FrameAnnouncement) => void,
): Promise<{ close(): void }> {
  const client = createClient({ url: redis.url });
  client.on('error', () => {}); // the fleet has ended
  await client.connect();
  await client.subscribe(keysFor(redisPrefix).channels(SHARDS), (message) => {
    const announcement = decodeAnnouncement(message);
    if (announcement?.kind === 'frame') onFrame(announcement);
  });
  return { close: () => client.destroy() };
}
