import { warmUp } from '../testing/viewers/viewers.ts';
import { type Figure, rowsOf } from './figures/figure.ts';
import { withFleet } from './figures/with-fleet.ts';
import { pairedRounds, ratios, serverRows } from './load/paired-rounds.ts';
import { pinnedApi } from './servers/cores.ts';
import { startNginx, startOrigin } from './servers/peers.ts';

const INTERVAL_MS = 1000;

export const replaced: Figure = {
  name: 'replaced',
  title: 'Latency of hits while the frame is being replaced',
  how: 'wrk requests one 20 KB frame over 100 keep-alive connections. The camera’s interval is 1 s and a call takes 100 ms. nginx caches the frame for 1 s with `proxy_cache_background_update`; its origin has new bytes every second and responds at once. Redis, the worker and the camera compete for the same two cores.',
  measure: (context) =>
    withFleet({ intervalMs: INTERVAL_MS, delayMs: 100 }, async (fleet) => {
      const lastframe = pinnedApi(fleet);
      const camera = fleet.slow.camera('replaced', { bytes: '20KiB' });
      await warmUp([lastframe.url], [camera]);
      const path = `/images?url=${encodeURIComponent(camera)}`;
      const origin = await startOrigin();
      const updateOrigin = async () => {
        const answer = await lastframe.image(camera);
        const body = Buffer.from(await answer.arrayBuffer());
        origin.set(path, body, answer.headers.get('etag') ?? '', INTERVAL_MS / 1000);
      };
      await updateOrigin();
      const updates = setInterval(() => void updateOrigin(), INTERVAL_MS);
      const nginx = await startNginx(origin.port);
      try {
        const load = { of: '20 KB frame', path, seconds: 4, rounds: 5 };
        const rounds = await pairedRounds({ lastframe, nginx }, load, context);
        const p99Ratios = ratios(rounds, ['lastframe', 'nginx'], 'p99Ms');
        const row = rowsOf(load.of);
        return [
          row('p99, Lastframe ÷ nginx', '×', p99Ratios, { most: 1 }),
          ...serverRows(load.of, ['lastframe', 'nginx'], rounds),
        ];
      } finally {
        clearInterval(updates);
        await nginx.stop();
        origin.close();
      }
    }),
};
