import { expect, vi } from 'vitest';
import { freePort, type RedisServer, startRedis } from './redis-server.ts';

/** A Redis Cluster of primaries that share the slots; the first has a replica. */
export interface RedisCluster {
  readonly primaries: readonly RedisServer[];
  readonly replica: RedisServer;
  /** `host:port,…` of the primaries. */
  readonly hosts: string;
  /** Returns the port of the node that has this key's slot, according to the last primary. */
  portOf(key: string): Promise<number>;
  /** Moves the slot of this key, which must be empty, to a primary. */
  moveSlot(key: string, to: number): Promise<void>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;

export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: size + 1 }, startNode));
  const [first, ...others] = nodes;
  const [replica, primaries] = [nodes[size], nodes.slice(0, size)];
  if (!first || !replica) throw new Error('a Cluster has at least one node');
  for (const [index, { redis }] of primaries.entries()) {
    const [from, to] = [index, index + 1].map((n) => Math.floor((n * SLOTS) / size));
    await redis.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(Number(to) - 1));
    await redis.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const { redis, busPort } of others) {
    await first.redis.command('CLUSTER', 'MEET', '127.0.0.1', String(redis.port), String(busPort));
  }
  await expectOnNodes(nodes, 'CLUSTER INFO', `cluster_known_nodes:${size + 1}`);
  const id = String(await first.redis.command('CLUSTER', 'MYID'));
  await replica.redis.command('CLUSTER', 'REPLICATE', id);
  await expectOnNodes(nodes, 'CLUSTER INFO', 'cluster_state:ok');
  await expectOnNodes([replica], 'INFO replication', 'master_link_status:up');
  return {
    primaries: primaries.map(({ redis }) => redis),
    replica: replica.redis,
    hosts: primaries.map(({ redis }) => `127.0.0.1:${redis.port}`).join(),
    portOf: async (key) => (await ownerOf(key, primaries.at(-1)?.redis ?? first.redis)).port,
    moveSlot: async (key, to) => {
      const slot = String(await first.redis.command('CLUSTER', 'KEYSLOT', key));
      const target = primaries[to]?.redis;
      const id = String(await target?.command('CLUSTER', 'MYID'));
      const others = primaries.map(({ redis }) => redis).filter((redis) => redis !== target);
      // An importing node announces its new slot with a new epoch; otherwise the previous owner,
      // whose epoch may be higher, would take the slot back.
      for (const redis of others) {
        const source = String(await redis.command('CLUSTER', 'MYID'));
        if ((await ownerOf(key, redis)).id === source)
          await target?.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
      }
      await target?.command('CLUSTER', 'SETSLOT', slot, 'NODE', id);
      for (const redis of others) await redis.command('CLUSTER', 'SETSLOT', slot, 'NODE', id);
    },
    stop: async () => {
      await Promise.all(nodes.map(({ redis }) => redis.stop()));
    },
  };
}

/** Returns the node that has this key's slot, according to another one. */
async function ownerOf(key: string, node: RedisServer): Promise<{ port: number; id: string }> {
  const slot = Number(await node.command('CLUSTER', 'KEYSLOT', key));
  type Range = [from: number, to: number, primary: [host: string, port: number, id: string]];
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as Range[];
  const [, port = 0, id = ''] = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2] ?? [];
  return { port, id };
}

interface Node {
  redis: RedisServer;
  busPort: number;
}

async function startNode(): Promise<Node> {
  const busPort = await freePort();
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  // So that a node that a busy machine stalls for two seconds isn't replaced.
  args.push('--cluster-node-timeout', '5000', '--cluster-require-full-coverage', 'no');
  args.push('--repl-diskless-sync-delay', '0');
  return { busPort, redis: await startRedis({ args }) };
}

const PATIENCE = { timeout: 60_000, interval: 100 };

async function expectOnNodes(nodes: readonly Node[], section: string, text: string): Promise<void> {
  await vi.waitFor(async () => {
    const infos = nodes.map(({ redis }) => redis.command(...section.split(' ')));
    for (const info of await Promise.all(infos)) expect(String(info)).toContain(text);
  }, PATIENCE);
}
