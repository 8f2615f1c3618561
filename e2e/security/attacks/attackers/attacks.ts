import {
  type Attacker,
  keepOpen,
  nth,
  openRequest,
  openSocket,
  pathFor,
  runPerSecond,
  whileOpen,
} from './attacker.ts';
import { malformedRecords } from './malformed-records.ts';
import { ESCAPED_PATHS, LONG_HEADERS, MANY_SLASHES, ODD_HOSTS, ODD_REQUESTS } from './requests.ts';

const ODD_BODIES = ['status-000', 'one-byte-chunks', 'informational'];
const MISBEHAVIOURS = ['endless', 'drip', 'truncated', 'gzip', 'empty', 'html'];
/** Together more bodies than two workers have room for. */
const HELD_AT_ONCE = 70;

/** Every attack, at its rates per second; each lasts until the process ends. */
export const attacks = {
  /** Requests images from servers that greet, reset or respond before they receive a request. */
  'servers-that-speak-first': ({ greeters, requestImage }) =>
    runPerSecond(6, (turn) =>
      Promise.all([0, 1, 2].map((n) => requestImage(n, `${nth(greeters, turn)}/public/${turn}`))),
    ),
  /** Requests new URLs of an allowed pattern: large frames that fill Redis, and failing cameras. */
  'made-up-cameras': ({ camera, requestImage }) => {
    runPerSecond(5, (turn) => requestImage(turn, `${camera}/public/large/${turn}`));
    runPerSecond(15, (turn) => requestImage(turn, `${camera}/public/missing/${turn}`));
  },
  /** Sends long headers with a valid image URL, with an unknown one, and to the ops listeners. */
  'long-headers': ({ apis, ops, camera, request }) => {
    const image = pathFor('/images', `${camera}/public/small/1`);
    const paths = [image, '/images?url=x', '/', '/openapi.json'];
    runPerSecond(20, (turn) =>
      request(nth(apis, turn), nth(paths, turn >> 1), nth(LONG_HEADERS, turn)),
    );
    runPerSecond(1, (turn) => request(nth(ops, turn), '/livez', nth(LONG_HEADERS, turn)));
  },
  /** Requests URLs with thousands of slashes, for the source whose pattern has three wildcards. */
  'many-slashes': ({ apis, camera, request }) =>
    // A query may contain plain slashes, and more of them fit than escaped ones.
    runPerSecond(4, (turn) =>
      request(nth(apis, turn), `/images?url=${camera}/${nth(MANY_SLASHES, turn)}${turn}`),
    ),
  /** Requests cameras of a digest source whose challenges are slow to parse. */
  'digest-challenges': ({ camera, requestImage }) =>
    runPerSecond(12, (turn) => requestImage(turn, `${camera}/digest/${turn}`)),
  /** Reads large frames that change every second at 1 KB/s, as images and as MJPEG streams. */
  'slow-readers': ({ apis, camera, count, requestImage }) => {
    const urls = [0, 1].map((n) => `${camera}/public/huge/${n}`);
    // Other viewers keep the frames changing.
    runPerSecond(2, (turn) => requestImage(turn >> 1, nth(urls, turn)));
    keepOpen(250, 16, (turn) => {
      const path = pathFor(turn % 3 === 0 ? '/stream' : '/images', nth(urls, turn >> 1));
      const socket = openRequest(nth(apis, turn), path);
      // In paused mode a socket takes no more from the kernel than its own small buffer.
      socket.once('readable', () => whileOpen(socket, 1000, () => socket.read(1024)));
      return socket.on('close', () => count('closed'));
    });
  },
  'malformed-records': malformedRecords,
  /** Tries to get a camera's credentials sent to paths that its source does not allow. */
  'escaped-paths': ({ camera, requestImage }) =>
    runPerSecond(4, (turn) => requestImage(turn, `${camera}/live/${nth(ESCAPED_PATHS, turn)}`)),
  /** Sends odd `Host` headers and framing, and a different forwarded address each time. */
  'odd-requests': ({ camera, requestImage, sendRaw }) => {
    const url = `${camera}/public/small/1`;
    const line = `GET ${pathFor('/images', url)} HTTP/1.1`;
    runPerSecond(10, (turn) => sendRaw(turn, `${line}\r\n${nth(ODD_HOSTS, turn)}\r\n\r\n`));
    runPerSecond(10, (turn) => sendRaw(turn, nth(ODD_REQUESTS, turn)));
    runPerSecond(10, (turn) => {
      const address = `198.51.${(turn >> 8) % 256}.${turn % 256}`;
      return requestImage(turn, url, { 'x-forwarded-for': address });
    });
  },
  /** Sends endless request headers to public and ops listeners, a byte every few seconds. */
  'slow-heads': ({ apis, ops, count }) => {
    for (const listener of [...apis, ...ops]) {
      keepOpen(250, 50, () => {
        const socket = openSocket(listener);
        socket.write('GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ');
        count('opened');
        return whileOpen(socket, 4000, () => socket.write('x')).resume();
      });
    }
    // Lets the summary relate opened connections to seconds: connecting must stay possible.
    runPerSecond(1, () => count('seconds'));
  },
  /** Requests bodies that cost a worker CPU, or hold its memory until their deadline. */
  'hostile-bodies': ({ camera, slowServer, requestImage }) => {
    runPerSecond(2, (turn) =>
      requestImage(turn, `${camera}/public/${nth(ODD_BODIES, turn)}/${turn}`),
    );
    runPerSecond(0.1, (turn) => {
      for (let n = 0; n < HELD_AT_ONCE; n += 1)
        void requestImage(n, `${camera}/public/held/${turn}-${n}`);
    });
    runPerSecond(1, (turn) => {
      const kind = nth(MISBEHAVIOURS, turn);
      const name = `${kind}-${turn % 30}`;
      return requestImage(turn, `${slowServer}/image/${name}?size=64x36&as=${kind}`);
    });
  },
  /** Opens more streams from one address than a process allows, and retries when rejected. */
  'stream-exhaustion': ({ apis, camera, count }) => {
    for (const api of apis) {
      keepOpen(300, 40, (turn) => {
        const path = turn % 2 === 0 ? '/events' : '/stream';
        const socket = openRequest(api, pathFor(path, `${camera}/public/missing/stream`));
        socket.once('data', (chunk) => count(chunk.toString('latin1', 9, 12)));
        return socket.resume();
      });
    }
  },
} satisfies Record<string, (attacker: Attacker) => void>;

type AttackName = keyof typeof attacks;

/** Reads `ATTACKS`: names with commas in between, or nothing for all of them. */
export function parseAttackNames(text: string | undefined): AttackName[] {
  const known = Object.keys(attacks) as AttackName[];
  const names = text ? (text.split(',') as AttackName[]) : known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return names;
  throw new Error(`unknown ATTACKS: ${unknown.join(', ')}; choose from ${known.join(', ')}`);
}
