import { withoutBrackets } from '../../cameras/host-name.ts';
import type { Log } from '../../process/log.ts';
import type { RedisEndpoint } from '../../settings/redis-url.ts';
import { infoField } from '../redis-info.ts';
import { openRedis, type RedisLink } from '../redis-link.ts';
import type { RedisTls } from '../redis-tls.ts';
import { SHARDS, type Shard, slotOf } from './shard.ts';

/** The URL of the primary that owns each shard. */
export type Owners = ReadonlyMap<Shard, string>;

/** Watches which node of a Redis Cluster owns which shards. */
export interface ClusterTopology {
  close(): Promise<void>;
}

interface TopologyReply {
  epoch: number;
  owners: Owners;
}

const ASK_DEADLINE_MS = 500;
const POLL_EVERY_MS = 500;

/** @param onOwners called on the first reply and on each change */
export function watchTopology(
  endpoint: Extract<RedisEndpoint, { kind: 'cluster' }>,
  onOwners: (owners: Owners) => void,
  { tls, log, onMode }: { tls: RedisTls; log: Log; onMode: (mode: string) => void },
): ClusterTopology {
  const nodes = new Map<string, RedisLink>();
  let known = '';
  let closed = false;

  const open = (url: string) => {
    const name = `node@${new URL(url).host}`;
    const link = openRedis({ url, name, log, tls, onMode, anyRole: true });
    link.client.once('ready', () => void poll());
    nodes.set(url, link);
  };
  /** Connects to current primaries too, because all nodes in the URL may be replaced one day. */
  const updateLinks = (urls: ReadonlySet<string>) => {
    for (const url of urls) if (!nodes.has(url)) open(url);
    for (const [url, link] of nodes) {
      if (urls.has(url)) continue;
      nodes.delete(url);
      void link.close();
    }
  };
  const poll = async () => {
    const queries = [...nodes].map(([url, link]) => queryNode(url, link, endpoint.urlOf));
    const replies = (await Promise.allSettled(queries)).flatMap((reply) =>
      reply.status === 'fulfilled' ? [reply.value] : [],
    );
    // A node that was cut off has an older view: each failover raises the epoch.
    const [newest] = replies.sort((a, b) => b.epoch - a.epoch);
    const text = JSON.stringify([...(newest?.owners ?? [])]);
    if (!newest || closed || text === known) return;
    known = text;
    updateLinks(new Set([...endpoint.nodes, ...newest.owners.values()]));
    onOwners(newest.owners);
  };

  for (const url of endpoint.nodes) open(url);
  const pollTimer = setInterval(() => void poll(), POLL_EVERY_MS);
  return {
    close: async () => {
      closed = true;
      clearInterval(pollTimer);
      await Promise.all([...nodes.values()].map((link) => link.close()));
    },
  };
}

type SlotRange = [from: number, to: number, primary: [host: string | null, port: number]];

async function queryNode(
  url: string,
  link: RedisLink,
  urlOf: (host: string, port: number) => string,
): Promise<TopologyReply> {
  const [info, slots] = await link.run(ASK_DEADLINE_MS, (client) =>
    Promise.all([
      client.sendCommand(['CLUSTER', 'INFO']),
      client.sendCommand(['CLUSTER', 'SLOTS']),
    ]),
  );
  const epoch = Number(infoField(String(info), 'cluster_current_epoch'));
  const { hostname } = new URL(url);
  const ranges = (slots as unknown as SlotRange[]).map(([from, to, [host, port]]) => ({
    from,
    to,
    // A node that does not know its own address is reachable at the host of this URL.
    owner: urlOf(host || withoutBrackets(hostname), port),
  }));
  const owners = SHARDS.flatMap((shard): [Shard, string][] => {
    const slot = slotOf(shard);
    const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
    return range ? [[shard, range.owner]] : [];
  });
  return { epoch, owners: new Map(owners) };
}
