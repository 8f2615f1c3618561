import { type Announcement, decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import type { Fleet } from '../../testing/fleet.ts';

export type FrameNews = Extract<Announcement, { kind: 'frame' }>;

/** Hears of every new frame as the api processes do. */
export async function hearFrames(
  { redis, redisPrefix }: Fleet,
  heed: (news: FrameNews) => void,
): Promise<{ stop(): void }> {
  const client = createClient({ url: redis.url });
  client.on('error', () => {}); // the fleet has ended
  await client.connect();
  await client.subscribe(keysFor(redisPrefix).channel(''), (message) => {
    const news = decodeAnnouncement(message);
    if (news?.kind === 'frame') heed(news);
  });
  return { stop: () => client.destroy() };
}
