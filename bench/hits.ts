import { type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import {
  atLeast,
  type BenchContext,
  type Figure,
  guaranteeRows,
  type Measured,
  spreadOf,
} from './figures/figure.ts';
import { BROWSER_HEADERS } from './load/browser-headers.ts';
import { pairedRounds } from './load/rounds.ts';
import { type WrkResult, wrk } from './load/wrk.ts';
import { startBareServer } from './servers/bare.ts';
import { cpuMs, pinToCore, SERVER_CORE } from './servers/cores.ts';
import {
  type Peer,
  type PeerOrigin,
  startNginx,
  startOrigin,
  startVarnish,
} from './servers/peers.ts';

const CONNECTIONS = 100;
const TUNED = 'nginx, tuned';

interface Case {
  of: string;
  bytes: string;
  conditional: boolean;
  ofNginx: number;
  ofVarnish?: number;
}

const CASES: readonly Case[] = [
  { of: '304, browser', bytes: '2KiB', conditional: true, ofNginx: 1.5 },
  { of: '2 KB frame', bytes: '2KiB', conditional: false, ofNginx: 1.8 },
  { of: '76 KB frame', bytes: '76KiB', conditional: false, ofNginx: 0.95, ofVarnish: 1.2 },
];

export const hits: Figure = {
  name: 'hits',
  title: 'Hits per second per core',
  how: 'One server process runs on one core, and wrk with 100 keep-alive connections on the other. *nginx, tuned* sets `open_file_cache` and turns off `sendfile`, the fastest configuration for small frames. *bare* is the floor: a ten-line `node:net` server that writes the same response to any request. The ratios compare the CPU time per hit within each round. The stretch goals are 2.0 for 304s and 2 KB, and 1.0 for 76 KB.',
  measure: async (context) => {
    // No refresh falls due while measuring; another figure covers its cost.
    const fleet = await startFleet({ intervalMs: 3_600_000, delayMs: 50 });
    const origin = await startOrigin();
    const nginx = await startNginx(origin.port);
    const tunedNginx = await startNginx(origin.port, { isTuned: true });
    const varnish = await startVarnish(origin.port);
    try {
      const measured: Measured[] = [];
      for (const one of CASES) {
        measured.push(
          ...(await measureCase(one, { fleet, origin, nginx, tunedNginx, varnish, context })),
        );
      }
      return [...measured, ...guaranteeRows('all', await fleet.check())];
    } finally {
      await Promise.all([nginx, tunedNginx, varnish, fleet].map((one) => one.stop()));
      origin.close();
    }
  },
};

interface Parts {
  fleet: Fleet;
  origin: PeerOrigin;
  nginx: Peer;
  tunedNginx: Peer;
  varnish: Peer;
  context: BenchContext;
}

async function measureCase(one: Case, parts: Parts): Promise<Measured[]> {
  const { fleet, origin, nginx, tunedNginx, varnish, context } = parts;
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  pinToCore(api.pid, SERVER_CORE);
  const camera = fleet.slow.camera(`hits-${one.bytes}`, { bytes: one.bytes });
  await warmUp([api.url], [camera]);
  const answer = await api.image(camera);
  const etag = answer.headers.get('etag') ?? '';
  const path = `/images?url=${encodeURIComponent(camera)}`;
  origin.set(path, Buffer.from(await answer.arrayBuffer()), etag);
  const headers = one.conditional ? { ...BROWSER_HEADERS, 'If-None-Match': etag } : {};
  const seconds = context.quick ? 1 : 2;
  const load =
    ({ url, pid }: { url: string; pid: number }) =>
    async () => {
      const before = cpuMs(pid);
      const result = await wrk({ url: url + path, connections: CONNECTIONS, seconds, headers });
      return { ...result, cpuUs: (1000 * (cpuMs(pid) - before)) / result.requests };
    };
  const bare = await startBareServer(api.url, path, headers);
  const contenders = {
    lastframe: load(api),
    nginx: load(nginx),
    [TUNED]: load(tunedNginx),
    varnish: load(varnish),
    bare: load(bare),
  };
  try {
    const rounds = context.quick ? 1 : 3;
    return rowsOf(one, await pairedRounds(contenders, { label: one.of, rounds, context }));
  } finally {
    await bare.stop();
  }
}

type Round = Record<string, WrkResult & { cpuUs: number }>;

function rowsOf({ of, ofNginx, ofVarnish }: Case, rounds: Round[]): Measured[] {
  const spread = (figureOf: (round: Round) => number | undefined) =>
    spreadOf(rounds.map((round) => figureOf(round) ?? Number.NaN));
  const ratioTo = (peer: string, least?: number): Measured => {
    const ratio = spread((round) => (round[peer]?.cpuUs ?? 0) / (round.lastframe?.cpuUs ?? 0));
    const what = `hits per CPU second, Lastframe ÷ ${peer}`;
    const target = least === undefined ? {} : { target: atLeast(ratio, least) };
    return { of, what, unit: '×', ...ratio, ...target };
  };
  const rows = ['lastframe', 'nginx', TUNED, 'varnish', 'bare'].flatMap((name): Measured[] => [
    { of, what: `${name}, CPU per hit`, unit: 'µs', ...spread((round) => round[name]?.cpuUs) },
    { of, what: name, unit: 'hits/s', ...spread((round) => round[name]?.perSecond) },
    { of, what: `${name}, p99`, unit: 'ms', ...spread((round) => round[name]?.p99Ms) },
  ]);
  return [
    ratioTo('nginx', ofNginx),
    ratioTo(TUNED),
    ratioTo('varnish', ofVarnish),
    ratioTo('bare'),
    ...rows,
  ];
}
