import { type Announcement, decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { runIsolated } from '@lastframe/shared/process/run-isolated';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';

/** A Cluster node rejects and ends subscriptions to a shard until it knows that it owns it. */
const RETRY_MS = 500;

/**
 * Subscribes to the announcements on these channels. Pub/sub loses messages while the connection is
 * down, so every (re)subscription calls `onGap`: whatever was known before may be outdated.
 */
export function subscribeToAnnouncements(
  redis: RedisLink,
  { publish, channels }: { publish: Keys['publish']; channels: readonly string[] },
  onAnnouncement: (announcement: Announcement) => void,
  onGap: () => void,
  log: Log,
): void {
  const subscribed = new Set<string>();
  let retry: NodeJS.Timeout | undefined;
  const onMessage = (message: string) => {
    const announcement = decodeAnnouncement(message);
    // An exception would pass through the Redis client and stop it from reading further.
    if (announcement) runIsolated(() => onAnnouncement(announcement));
    else log.warn('malformed announcement ignored');
  };
  /** One channel per call: in a Cluster, each is in a slot of its own. */
  const subscribeTo = async (channel: string) => {
    await redis.client[publish === 'PUBLISH' ? 'subscribe' : 'sSubscribe'](channel, onMessage);
    subscribed.add(channel);
  };
  /** @param isNew whether the connection is new; node-redis then restores its own subscriptions */
  const subscribe = async (isNew: boolean) => {
    clearTimeout(retry);
    const missing = channels.filter((channel) => !subscribed.has(channel));
    const attempts = await Promise.allSettled(missing.map(subscribeTo));
    const rejections = attempts.filter((attempt) => attempt.status === 'rejected');
    if (subscribed.size > 0 && (isNew || rejections.length < missing.length)) onGap();
    if (rejections.length === 0) return;
    const reason = messageOf(rejections[0]?.reason);
    if (isNew) log.warn({ reason }, 'subscribing to announcements failed; retrying');
    subscribeLater();
  };
  const subscribeLater = () => {
    clearTimeout(retry);
    // If the connection is lost meanwhile, its next `ready` subscribes again.
    retry = setTimeout(() => redis.isReady && void subscribe(false), RETRY_MS).unref();
  };
  redis.client.on('ready', () => void subscribe(true));
  // The node lost the shard. If it gets it back before the topology is checked, no event follows.
  redis.client.on('sharded-channel-moved', (channel) => {
    subscribed.delete(String(channel));
    subscribeLater();
  });
  if (redis.isReady) void subscribe(true);
}
