import { type Announcement, decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import type { Fleet } from '../../testing/fleet/fleet.ts';

export type FrameAnnouncement = Extract<Announcement, { kind: 'frame' }>;

/** Subscribes to the announcements of new frames, as the api processes do. */
export async function subscribeToFrames(
  { redis, redisPrefix }: Fleet,
  onFrame: (announcement: FrameAnnouncement) => void,
): Promise<{ stop(): void }> {
  const client = createClient({ url: redis.url });
  client.on('error', () => {}); // the fleet has ended
  await client.connect();
  await client.subscribe(keysFor(redisPrefix).channel(''), (message) => {
    const announcement = decodeAnnouncement(message);
    if (announcement?.kind === 'frame') onFrame(announcement);
  });
  return { stop: () => client.destroy() };
}
