import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import ipaddr from 'ipaddr.js';
import { startServer } from '../../../testing/running-server.ts';

const TYPES = { A: 1, AAAA: 28 };
const CNAME = 5;
export const SERVFAIL = 2;
export const NXDOMAIN = 3;
export const REFUSED = 5;
const TRUNCATED = 0x0200;
/** The size of a datagram that every resolver reads. */
const MAX_UDP_BYTES = 512;

export interface DnsAnswer {
  /** Names that the queried name leads to, each by its own CNAME. */
  aliases?: string[];
  /** Of both families; each query gets its own. */
  addresses?: string[];
  rcode?: number;
}

/** A test's own DNS server, on UDP and TCP. All TTLs are 0. */
export interface DnsServer {
  /** As `Resolver.setServers` takes it. */
  readonly address: string;
  /** The names of all queries for A records so far. */
  readonly queriedNames: string[];
  close(): Promise<void>;
}

/** @param answerFor the response for a name; undefined to send none */
export async function startDns(
  answerFor: (name: string, nth: number) => DnsAnswer | undefined,
): Promise<DnsServer> {
  const asked = { A: [] as string[], AAAA: [] as string[] };
  const answerTo = (query: Buffer): Buffer | undefined => {
    const { name, type, end } = parseQuestion(query);
    const answer = answerFor(name, asked[type].length);
    asked[type].push(name);
    return answer && reply(query.subarray(0, end), type, name, answer);
  };
  const tcp = createServer((socket) => {
    socket.on('data', (bytes) => {
      const answer = answerTo(bytes.subarray(2));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer?.length ?? 0);
      if (answer) socket.end(Buffer.concat([length, answer]));
    });
  });
  const { port, close } = await startServer(tcp);
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const answer = answerTo(query);
    if (answer) udp.send(asDatagram(answer, parseQuestion(query).end), from.port, from.address);
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  return {
    address: `127.0.0.1:${port}`,
    queriedNames: asked.A,
    close: async () => {
      udp.close();
      await close();
    },
  };
}

function parseQuestion(query: Buffer): { name: string; type: keyof typeof TYPES; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]; length; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1) === TYPES.A ? 'A' : 'AAAA';
  return { name: labels.join('.'), type, end: at + 5 };
}

/** Builds a reply (RFC 1035 4.1): the question again, then the records. */
function reply(
  question: Buffer,
  type: keyof typeof TYPES,
  name: string,
  { aliases = [], addresses = [], rcode = 0 }: DnsAnswer,
): Buffer {
  const kind = type === 'A' ? 'ipv4' : 'ipv6';
  const owner = encodeName(aliases.at(-1) ?? name);
  const records = [
    ...aliases.map((alias, n) =>
      record(encodeName(aliases[n - 1] ?? name), CNAME, encodeName(alias)),
    ),
    ...addresses
      .map((text) => ipaddr.parse(text))
      .filter((address) => address.kind() === kind)
      .map((address) => record(owner, TYPES[type], Buffer.from(address.toByteArray()))),
  ];
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.fill(0, 8, 12);
  return Buffer.concat([head, ...records]);
}

function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  const encoded = labels.map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  );
  return Buffer.concat([...encoded, Buffer.alloc(1)]);
}

/** Truncates a long answer to its question, which the client then repeats over TCP. */
function asDatagram(answer: Buffer, questionEnd: number): Buffer {
  if (answer.length <= MAX_UDP_BYTES) return answer;
  const head = Buffer.from(answer.subarray(0, questionEnd));
  head.writeUInt16BE(head.readUInt16BE(2) | TRUNCATED, 2);
  head.writeUInt16BE(0, 6);
  return head;
}
