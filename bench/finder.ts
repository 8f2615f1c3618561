import { makeRules } from '@lastframe/shared/cameras/rules';
import { systemClock as clock } from '@lastframe/shared/process/clock';
import { createMemoryCache } from '../api/src/cache/memory-cache.ts';
import { createFindHit } from '../api/src/fast-path/find-hit.ts';
import { recognise } from '../api/src/fast-path/plain-request.ts';
import { createReadyHeads } from '../api/src/fast-path/prepared-heads.ts';
import { createLearnedTargets } from '../api/src/routes/learned-targets.ts';
import { testCamera, testSource } from '../testing/test-camera.ts';
import { BROWSER_HEADERS } from './support/browser-headers.ts';
import { type Figure, type Measured, spreadOf } from './support/figure.ts';

const ETAG = '"sha256-9f86d081884c7d659a2feaa0c55ad015"';
const BATCH = 2000;

export const finder: Figure = {
  name: 'finder',
  title: 'What the front itself does for a hit',
  how: 'One process, no sockets: the time of finding the answer to a request, in batches of 2,000. What a hit costs beyond that is Node’s sockets and the kernel.',
  measure: async ({ quick }) => {
    const camera = testCamera('a');
    const target = `/images?url=${encodeURIComponent(camera.url)}`;
    const short = requestText(target, {});
    const long = requestText(target, { ...BROWSER_HEADERS, 'If-None-Match': ETAG });
    const findHit = warmFinder(camera, target);
    const longBytes = Buffer.from(long, 'latin1');
    const works: Record<string, () => unknown> = {
      'short request, the same as before': () => findHit(short),
      'a browser’s, the same as before on its connection': () => findHit(long),
      'a browser’s, the same as before on another': () => findHit(longBytes.toString('latin1')),
      'a browser’s, recognised anew': () => recognise(longBytes.toString('latin1')),
    };
    return Object.entries(works).map(
      ([of, work]): Measured => ({
        ...{ of, what: 'CPU per hit', unit: 'ns' },
        ...spreadOf(timesNs(work, quick ? 50 : 500)),
      }),
    );
  },
};

function requestText(target: string, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`;
}

function warmFinder(camera: ReturnType<typeof testCamera>, target: string) {
  const now = makeRules([testSource({ intervalMs: 3_600_000 })]);
  const rules = () => now;
  const memory = createMemoryCache(1024 ** 2);
  const monoMs = clock.monoMs();
  memory.set(camera.cameraId, {
    ...{ camera, cameraId: camera.cameraId, bytes: Buffer.alloc(2048), contentType: 'image/jpeg' },
    ...{ etag: ETAG, startedAtMs: 0, capturedAtMs: 0, changedAtMs: 0 },
    ...{
      startedMonoMs: monoMs,
      capturedMonoMs: monoMs,
      mayBeOutdated: false,
      lastAskedMonoMs: monoMs,
    },
  });
  const knownTargets = createLearnedTargets(rules);
  knownTargets.learn('a', target, camera);
  const readyHeads = createReadyHeads({ clock, addCommonHeaders: () => {}, keepAliveMs: 65_000 });
  const nobody = () => {};
  const demand = {
    raise: nobody,
    onAnnouncement: nobody,
    recheck: nobody,
    announcedWaitMs: () => 0,
    refusal: () => undefined,
    close: nobody,
  };
  return createFindHit({ clock, memory, demand, rules, knownTargets, readyHeads });
}

/** Of one piece of work, batch by batch; the first half warms up. */
function timesNs(work: () => unknown, batches: number): number[] {
  const times = Array.from({ length: 2 * batches }, () => {
    const startedMs = performance.now();
    for (let n = 0; n < BATCH; n += 1) work();
    return (1e6 * (performance.now() - startedMs)) / BATCH;
  });
  return times.slice(batches);
}
