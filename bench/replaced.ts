import { startFleet } from '../testing/fleet.ts';
import { warmUp } from '../testing/viewers.ts';
import { pin, SERVER_CORE } from './support/cores.ts';
import { atMost, type Figure, guaranteeKept, spreadOf } from './support/figure.ts';
import { startNginx, startOrigin } from './support/peers.ts';
import { pairedRounds } from './support/rounds.ts';
import { type WrkResult, wrk } from './support/wrk.ts';

const INTERVAL_MS = 1000;
const CONNECTIONS = 100;

export const replaced: Figure = {
  name: 'replaced',
  title: 'Latency of hits while the frame is being replaced',
  how: 'One camera of 20 KB with an interval of 1 s; wrk with 100 kept connections on one core, the server on the other. nginx caches the same for 1 s, with `proxy_cache_background_update`; its origin has new bytes each second and answers at once, while the camera takes 100 ms. Redis, worker and camera share the two cores with both.',
  measure: async (context) => {
    const fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 100 });
    const origin = await startOrigin();
    const nginx = await startNginx(origin.port);
    try {
      const [api] = fleet.apis;
      if (!api) throw new Error('no api was started');
      pin(api.pid, SERVER_CORE);
      const camera = fleet.slow.camera('replaced', { bytes: '20KiB' });
      await warmUp([api.url], [camera]);
      const path = `/images?url=${encodeURIComponent(camera)}`;
      const replace = async () => {
        const answer = await api.image(camera);
        const body = Buffer.from(await answer.arrayBuffer());
        origin.set(path, body, answer.headers.get('etag') ?? '', INTERVAL_MS / 1000);
      };
      await replace();
      const replacing = setInterval(() => void replace(), INTERVAL_MS);
      const seconds = context.quick ? 2 : 4;
      const load = (url: string) => () =>
        wrk({ url: url + path, connections: CONNECTIONS, seconds });
      const rounds = await pairedRounds(
        { lastframe: load(api.url), nginx: load(nginx.url) },
        { label: '20 KB frame', rounds: context.quick ? 1 : 5, context },
      );
      clearInterval(replacing);
      return [...rowsOf(rounds), ...guaranteeKept('20 KB frame', await fleet.check())];
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
