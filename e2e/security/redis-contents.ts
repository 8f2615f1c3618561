import { createClient } from 'redis';

/** Returns all keys and values of a Redis as one text. */
export async function redisContents(url: string): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  await client.connect();
  try {
    const lines: string[] = [];
    for await (const keys of client.scanIterator()) {
      for (const key of keys) {
        const type = String(await client.sendCommand(['TYPE', key]));
        const read = READ[type];
        if (!read) throw new Error(`${key} is a ${type}; add its read command to READ`);
        lines.push(`${key} ${JSON.stringify(await client.sendCommand(read(key)))}`);
      }
    }
    return lines.join('\n');
  } finally {
    client.destroy();
  }
}

const READ: Record<string, (key: string) => string[]> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  stream: (key) => ['XRANGE', key, '-', '+'],
  none: (key) => ['EXISTS', key],
};
