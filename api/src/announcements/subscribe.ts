import { type Announcement, decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { contain } from '@lastframe/shared/process/contain';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';

/** A node of a Cluster refuses a shard, and ends what listens to it, until it knows that the shard is its own. */
const REFUSED_RETRY_MS = 500;

/**
 * Hears every announcement on these channels. Pub/sub loses messages while the connection is down, so every
 * (re)subscription is told: from then on nothing that was known before is sure.
 */
export function subscribeToAnnouncements(
  redis: RedisLink,
  { publish, channels }: { publish: Keys['publish']; channels: readonly string[] },
  heed: (announcement: Announcement) => void,
  onGap: () => void,
  log: Log,
): void {
  const subscribed = new Set<string>();
  let retry: NodeJS.Timeout | undefined;
  const hear = (message: string) => {
    const announcement = decodeAnnouncement(message);
    // An exception would go through the Redis client, which could not read on after it.
    if (announcement) contain(() => heed(announcement));
    else log.warn('announcement ignored: malformed');
  };
  /** Each by itself: of a Cluster's, each is in a slot of its own. */
  const subscribeTo = async (channel: string) => {
    await redis.client[publish === 'PUBLISH' ? 'subscribe' : 'sSubscribe'](channel, hear);
    subscribed.add(channel);
  };
  /** @param isNew the connection, on which node-redis itself has subscribed again to what it knows */
  const subscribe = async (isNew: boolean) => {
    clearTimeout(retry);
    const missing = channels.filter((channel) => !subscribed.has(channel));
    const attempts = await Promise.allSettled(missing.map(subscribeTo));
    const refusals = attempts.filter((attempt) => attempt.status === 'rejected');
    if (subscribed.size > 0 && (isNew || refusals.length < missing.length)) onGap();
    if (refusals.length === 0) return;
    const reason = messageOf(refusals[0]?.reason);
    if (isNew) log.warn({ reason }, 'announcements could not be subscribed to; tried again');
    subscribeLater();
  };
  const subscribeLater = () => {
    clearTimeout(retry);
    // A connection that is lost meanwhile is told by its next `ready`.
    retry = setTimeout(() => redis.isReady && void subscribe(false), REFUSED_RETRY_MS).unref();
  };
  redis.client.on('ready', () => void subscribe(true));
  // Its node let go of the shard. Should it be its own again before the topology is looked at, nobody else tells.
  redis.client.on('sharded-channel-moved', (channel) => {
    subscribed.delete(String(channel));
    subscribeLater();
  });
  if (redis.isReady) void subscribe(true);
}
