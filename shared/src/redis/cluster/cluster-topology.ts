import type { Log } from '../../process/log.ts';
import type { RedisPlace } from '../../settings/redis-url.ts';
import { openRedis, type RedisLink } from '../redis-link.ts';
import type { RedisTls } from '../redis-tls.ts';
import { SHARDS, type Shard, slotOf } from './shard.ts';

/** The URL of the primary that keeps each shard. */
export type Owners = ReadonlyMap<Shard, string>;

/** Watches which node of a Redis Cluster keeps what. */
export interface ClusterTopology {
  close(): Promise<void>;
}

interface Answer {
  epoch: number;
  owners: Owners;
}

const ASK_DEADLINE_MS = 500;
const LOOK_EVERY_MS = 500;

/** @param onOwners told of each change, and of the first answer */
export function watchTopology(
  place: Extract<RedisPlace, { kind: 'cluster' }>,
  onOwners: (owners: Owners) => void,
  { tls, log, onMode }: { tls: RedisTls; log: Log; onMode: (mode: string) => void },
): ClusterTopology {
  const nodes = new Map<string, RedisLink>();
  let known = '';
  let closed = false;

  const open = (url: string) => {
    const name = `node@${new URL(url).host}`;
    const link = openRedis({ url, name, log, tls, onMode, anyRole: true });
    link.client.once('ready', () => void look());
    nodes.set(url, link);
  };
  /** Whoever is a primary may be asked too: the nodes in the URL may all go one day. */
  const keep = (urls: ReadonlySet<string>) => {
    for (const url of urls) if (!nodes.has(url)) open(url);
    for (const [url, link] of nodes) {
      if (urls.has(url)) continue;
      nodes.delete(url);
      void link.close();
    }
  };
  const look = async () => {
    const asked = [...nodes].map(([url, link]) => ask(url, link, place.urlOf));
    const answers = (await Promise.allSettled(asked)).flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value] : [],
    );
    // A node that was cut off knows an older order of things: each failover has a higher number.
    const [newest] = answers.sort((a, b) => b.epoch - a.epoch);
    const text = JSON.stringify([...(newest?.owners ?? [])]);
    if (!newest || closed || text === known) return;
    known = text;
    keep(new Set([...place.nodes, ...newest.owners.values()]));
    onOwners(newest.owners);
  };

  for (const url of place.nodes) open(url);
  const watch = setInterval(() => void look(), LOOK_EVERY_MS);
  return {
    close: async () => {
      closed = true;
      clearInterval(watch);
      await Promise.all([...nodes.values()].map((link) => link.close()));
    },
  };
}

type SlotRange = [from: number, to: number, primary: [host: string | null, port: number]];

async function ask(
  url: string,
  link: RedisLink,
  urlOf: (host: string, port: number) => string,
): Promise<Answer> {
  const [info, slots] = await link.run(ASK_DEADLINE_MS, (client) =>
    Promise.all([
      client.sendCommand(['CLUSTER', 'INFO']),
      client.sendCommand(['CLUSTER', 'SLOTS']),
    ]),
  );
  const epoch = Number(/^cluster_current_epoch:(\d+)/m.exec(String(info))?.[1]);
  const { hostname } = new URL(url);
  const ranges = (slots as unknown as SlotRange[]).map(([from, to, [host, port]]) => ({
    from,
    to,
    // A node that doesn't know its own address is where it was asked.
    owner: urlOf(host || hostname.replace(/^\[(.*)\]$/, '$1'), port),
  }));
  const owners = SHARDS.flatMap((shard): [Shard, string][] => {
    const slot = slotOf(shard);
    const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
    return range ? [[shard, range.owner]] : [];
  });
  return { epoch, owners: new Map(owners) };
}
