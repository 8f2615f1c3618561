import type { Fleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import {
  type BenchContext,
  type Figure,
  type Limit,
  type Measured,
  rowsOf,
} from './figures/figure.ts';
import { withFleet } from './figures/with-fleet.ts';
import { pairedRounds, ratios, serverRows } from './load/paired-rounds.ts';
import { pinnedApi } from './servers/cores.ts';
import {
  type Peer,
  type PeerOrigin,
  startBare,
  startNginx,
  startOrigin,
  startVarnish,
} from './servers/peers.ts';

/** What a browser sends with an image request, apart from `Host` and conditional headers. */
const BROWSER_HEADERS = {
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Cache-Control': 'no-cache',
  Connection: 'keep-alive',
  Referer: 'https://cams.example.com/wall',
  'Sec-Fetch-Dest': 'image',
  'Sec-Fetch-Mode': 'no-cors',
  'Sec-Fetch-Site': 'same-origin',
};

interface Case {
  of: string;
  bytes: string;
  isConditional?: boolean;
  /** How many hits per CPU second Lastframe serves, compared with a peer. */
  targets: Record<string, Limit>;
}

const CASES: readonly Case[] = [
  { of: '304, browser', bytes: '2KiB', isConditional: true, targets: { nginx: { least: 1.5 } } },
  { of: '2 KB frame', bytes: '2KiB', targets: { nginx: { least: 1.8 } } },
  {
    of: '76 KB frame',
    bytes: '76KiB',
    targets: { nginx: { least: 0.95 }, varnish: { least: 1.2 } },
  },
];

export const hits: Figure = {
  name: 'hits',
  title: 'Hits per second per core',
  how: 'One server process runs on one core, and wrk with 100 keep-alive connections on the other. *nginx, tuned* sets `open_file_cache` and turns off `sendfile`, the fastest configuration for small frames. *bare* is the floor: a ten-line `node:net` server that writes the same response to any request. The ratios compare the CPU time per hit within each round. The stretch goals are 2.0 for 304s and 2 KB, and 1.0 for 76 KB.',
  // No refresh falls due while measuring; another figure covers its cost.
  measure: (context) =>
    withFleet({ intervalMs: 3_600_000, delayMs: 50 }, async (fleet) => {
      const origin = await startOrigin();
      const peers = {
        nginx: await startNginx(origin.port),
        'nginx, tuned': await startNginx(origin.port, { isTuned: true }),
        varnish: await startVarnish(origin.port),
      };
      const measured: Measured[] = [];
      try {
        for (const one of CASES)
          measured.push(...(await measureCase(one, { fleet, origin, peers, context })));
      } finally {
        await Promise.all(Object.values(peers).map((peer) => peer.stop()));
        origin.close();
      }
      return measured;
    }),
};

interface Setup {
  fleet: Fleet;
  origin: PeerOrigin;
  peers: Record<string, Peer>;
  context: BenchContext;
}

async function measureCase(one: Case, { fleet, origin, peers, context }: Setup) {
  const { of, bytes, isConditional, targets } = one;
  const lastframe = pinnedApi(fleet);
  const camera = fleet.slow.camera(`hits-${bytes}`, { bytes });
  await warmUp([lastframe.url], [camera]);
  const answer = await lastframe.image(camera);
  const etag = answer.headers.get('etag') ?? '';
  const path = `/images?url=${encodeURIComponent(camera)}`;
  origin.set(path, Buffer.from(await answer.arrayBuffer()), etag);
  const headers = isConditional ? { ...BROWSER_HEADERS, 'If-None-Match': etag } : {};
  const bare = await startBare(lastframe.url, path, headers);
  try {
    const servers = { lastframe, ...peers, bare };
    const load = { of, path, headers, seconds: 2, rounds: 3 };
    const rounds = await pairedRounds(servers, load, context);
    const row = rowsOf(of);
    const compared = [...Object.keys(peers), 'bare'].map((peer) =>
      row(
        `hits per CPU second, Lastframe ÷ ${peer}`,
        '×',
        ratios(rounds, [peer, 'lastframe'], 'cpuUsPerHit'),
        targets[peer],
      ),
    );
    return [...compared, ...serverRows(of, Object.keys(servers), rounds)];
  } finally {
    await bare.stop();
  }
}
