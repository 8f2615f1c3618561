import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import ipaddr from 'ipaddr.js';
import { onTestFinished } from 'vitest';

const TYPES = { A: 1, AAAA: 28 };

/** A DNS server that changes its mind: `answers` is asked for each query, its TTLs are 0. */
export interface LyingDns {
  /** Queries for A records so far. */
  readonly asked: number;
  /** As `dns.lookup` with `all`, but asking this server. */
  lookup(host: string): Promise<{ address: string; family: 4 | 6 }[]>;
}

/** @param answers the addresses of the n-th look-up, from 0 */
export async function startLyingDns(answers: (nth: number) => string[]): Promise<LyingDns> {
  const asked = { A: 0, AAAA: 0 };
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4) === TYPES.A ? 'A' : 'AAAA';
    const wanted = type === 'A' ? 'ipv4' : 'ipv6';
    const found = answers(asked[type]).filter((text) => ipaddr.parse(text).kind() === wanted);
    asked[type] += 1;
    socket.send(reply(query.subarray(0, end), TYPES[type], found), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  // Asks once: each query counts.
  const resolver = new Resolver({ timeout: 30_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    get asked() {
      return asked.A;
    },
    lookup: async (host) => {
      const [ipv4, ipv6] = await Promise.allSettled([
        resolver.resolve4(host),
        resolver.resolve6(host),
      ]);
      return [
        ...(ipv4.status === 'fulfilled' ? ipv4.value : []).map((address) => ({
          address,
          family: 4 as const,
        })),
        ...(ipv6.status === 'fulfilled' ? ipv6.value : []).map((address) => ({
          address,
          family: 6 as const,
        })),
      ];
    },
  };
}

/** RFC 1035 4.1: the question again, then one record for each address. */
function reply(question: Buffer, type: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.fill(0, 8, 12);
  const records = addresses.map((text) => {
    const data = Buffer.from(ipaddr.parse(text).toByteArray());
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}
