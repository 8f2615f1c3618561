import { type Announcement, decodeAnnouncement } from '@lastframe/shared/announcement';
import { messageOf } from '@lastframe/shared/errors';
import type { Keys } from '@lastframe/shared/keys';
import type { Log } from '@lastframe/shared/log';
import type { RedisLink } from '@lastframe/shared/redis-link';

/**
 * Hears every announcement on these channels. Pub/sub loses messages while the connection is down, so every
 * (re)subscription is told: from then on nothing that was known before is sure.
 */
export function listenToAnnouncements(
  redis: RedisLink,
  { publish, channels }: { publish: Keys['publish']; channels: readonly string[] },
  heed: (announcement: Announcement) => void,
  onGap: () => void,
  log: Log,
): void {
  let subscribed = false;
  const hear = (message: string) => {
    const announcement = decodeAnnouncement(message);
    if (announcement) heed(announcement);
    else log.warn('an announcement could not be read');
  };
  const subscribeTo = (client: RedisLink['client']) =>
    publish === 'PUBLISH'
      ? client.subscribe([...channels], hear)
      : // Each in a slot of its own, and a command in one.
        Promise.all(channels.map((channel) => client.sSubscribe(channel, hear)));
  const subscribe = async () => {
    try {
      // node-redis subscribes again by itself, before it says that it is ready.
      if (!subscribed) await subscribeTo(redis.client);
      subscribed = true;
      onGap();
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'announcements could not be subscribed to');
    }
  };
  redis.client.on('ready', () => void subscribe());
  if (redis.isReady) void subscribe();
}
