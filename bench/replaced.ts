import { startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';
import { atMost, type Figure, guaranteeRows, spreadOf } from './figures/figure.ts';
import { pairedRounds } from './load/rounds.ts';
import { type WrkResult, wrk } from './load/wrk.ts';
import { pinToCore, SERVER_CORE } from './servers/cores.ts';
import { startNginx, startOrigin } from './servers/peers.ts';

const INTERVAL_MS = 1000;
const CONNECTIONS = 100;

export const replaced: Figure = {
  name: 'replaced',
  title: 'Latency of hits while the frame is being replaced',
  how: 'wrk requests one 20 KB frame over 100 keep-alive connections. The camera’s interval is 1 s and a call takes 100 ms. nginx caches the frame for 1 s with `proxy_cache_background_update`; its origin has new bytes every second and responds at once. Redis, the worker and the camera compete for the same two cores.',
  measure: async (context) => {
    const fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 100 });
    const origin = await startOrigin();
    const nginx = await startNginx(origin.port);
    try {
      const [api] = fleet.apis;
      if (!api) throw new Error('no api was started');
      pinToCore(api.pid, SERVER_CORE);
      const camera = fleet.slow.camera('replaced', { bytes: '20KiB' });
      await warmUp([api.url], [camera]);
      const path = `/images?url=${encodeURIComponent(camera)}`;
      const updateOrigin = async () => {
        const answer = await api.image(camera);
        const body = Buffer.from(await answer.arrayBuffer());
        origin.set(path, body, answer.headers.get('etag') ?? '', INTERVAL_MS / 1000);
      };
      await updateOrigin();
      const updates = setInterval(() => void updateOrigin(), INTERVAL_MS);
      const seconds = context.quick ? 2 : 4;
      const load = (url: string) => () =>
        wrk({ url: url + path, connections: CONNECTIONS, seconds });
      const rounds = await pairedRounds(
        { lastframe: load(api.url), nginx: load(nginx.url) },
        { label: '20 KB frame', rounds: context.quick ? 1 : 5, context },
      );
      clearInterval(updates);
      return [...rowsOf(rounds), ...guaranteeRows('20 KB frame', await fleet.check())];
    } finally {
      await Promise.all([nginx.stop(), fleet.stop()]);
      origin.close();
    }
  },
};

function rowsOf(rounds: Record<string, WrkResult>[]) {
  const of = '20 KB frame';
  const spread = (figureOf: (round: Record<string, WrkResult>) => number | undefined) =>
    spreadOf(rounds.map((round) => figureOf(round) ?? Number.NaN));
  const ratio = spread(({ lastframe, nginx }) => (lastframe?.p99Ms ?? 0) / (nginx?.p99Ms ?? 0));
  return [
    { of, what: 'p99, Lastframe ÷ nginx', unit: '×', ...ratio, target: atMost(ratio, 1) },
    ...['lastframe', 'nginx'].flatMap((name) => [
      { of, what: `${name}, p99`, unit: 'ms', ...spread((round) => round[name]?.p99Ms) },
      { of, what: name, unit: 'hits/s', ...spread((round) => round[name]?.perSecond) },
    ]),
  ];
}
