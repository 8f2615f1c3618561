import { makeRules } from '@lastframe/shared/cameras/rules';
import { systemClock as clock } from '@lastframe/shared/process/clock';
import { createMemoryCache } from '../api/src/cache/memory-cache.ts';
import { createFindHit } from '../api/src/fast-path/find-hit.ts';
import { matchPlainRequest } from '../api/src/fast-path/plain-request.ts';
import { createPreparedHeads } from '../api/src/fast-path/prepared-heads.ts';
import { createLearnedTargets } from '../api/src/routes/learned-targets.ts';
import { testCamera, testSource } from '../testing/test-camera.ts';
import { type Figure, type Measured, spreadOf } from './figures/figure.ts';
import { BROWSER_HEADERS } from './load/browser-headers.ts';

const ETAG = '"sha256-9f86d081884c7d659a2feaa0c55ad015"';
const BATCH = 2000;

export const finder: Figure = {
  name: 'finder',
  title: 'Fast path without sockets',
  how: 'This is the time that the fast path takes to find a response, in batches of 2,000.',
  measure: async ({ quick }) => {
    const camera = testCamera('a');
    const target = `/images?url=${encodeURIComponent(camera.url)}`;
    const short = requestText(target, {});
    const long = requestText(target, { ...BROWSER_HEADERS, 'If-None-Match': ETAG });
    const findHit = warmFinder(camera, target);
    const longBytes = Buffer.from(long, 'latin1');
    const works: Record<string, () => unknown> = {
      'short, same as the previous one': () => findHit(short),
      'browser, same as the previous one on its connection': () => findHit(long),
      'browser, same as one on another connection': () => findHit(longBytes.toString('latin1')),
      'browser, recognised from scratch': () => matchPlainRequest(longBytes.toString('latin1')),
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
      lastRequestedMonoMs: monoMs,
    },
  });
  const learnedTargets = createLearnedTargets(rules);
  learnedTargets.learn('a', target, camera);
  const preparedHeads = createPreparedHeads({
    clock,
    addCommonHeaders: () => {},
    keepAliveMs: 65_000,
  });
  const noop = () => {};
  const demand = {
    raise: noop,
    onAnnouncement: noop,
    recheck: noop,
    announcedWaitMs: () => 0,
    refusal: () => undefined,
    close: noop,
  };
  return createFindHit({
    clock,
    memory,
    demand,
    rules,
    learnedTargets,
    preparedHeads,
  });
}

/** Returns the time per call of `work` in each batch, without the first half, which warms up. */
function timesNs(work: () => unknown, batches: number): number[] {
  const times = Array.from({ length: 2 * batches }, () => {
    const startedMs = performance.now();
    for (let n = 0; n < BATCH; n += 1) work();
    return (1e6 * (performance.now() - startedMs)) / BATCH;
  });
  return times.slice(batches);
}
