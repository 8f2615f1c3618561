import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { infoOf } from '../../testing/checks/short-faults.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
let requestTimer: NodeJS.Timeout | undefined;

beforeAll(async () => {
  observed = await startObservedFleet(async () => ({ api: { MAX_STREAMS: '2' } }));
  const { slow } = observed.fleet;
  await observed.setViewedCameras([slow.camera('gate'), slow.camera('a'), slow.camera('b')]);
});

afterEach(() => clearInterval(requestTimer));

afterAll(async () => {
  await observed?.checkAndStop();
});

/** Keeps requesting new cameras, without waiting for them. */
function requestNewCameras(query: Record<string, string>): void {
  let n = 0;
  requestTimer = setInterval(() => {
    n += 1;
    const camera = observed.fleet.slow.camera(`new-${n}`, query);
    void observed.api.image(camera).then(
      (answer) => answer.arrayBuffer(),
      () => {},
    );
  }, 200);
}

it('alerts on failing cameras: a source, a named camera, stale frames, requests without a frame', async () => {
  const { slow } = observed.fleet;
  await observed.waitForNoAlerts();
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.setBehaviour(name, { status: '500' })));
  requestNewCameras({ status: '500' });
  await observed.waitForAlerts(
    'LastframeCameraFailing',
    'LastframeRequestsFailing',
    'LastframeSourceFailing',
    'LastframeStaleServed',
  );
});

it('clears these alerts once viewers get frames again', async () => {
  const { slow } = observed.fleet;
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.setBehaviour(name)));
  await observed.setViewedCameras([slow.camera('c'), slow.camera('d')]);
  await observed.waitForNoAlerts();
});

it('alerts on a camera that keeps sending the same picture', async () => {
  const { slow } = observed.fleet;
  await slow.setBehaviour('mast', { as: 'frozen' });
  await observed.setViewedCameras([slow.camera('mast'), slow.camera('c')]);
  await observed.waitForAlerts('LastframeCameraFrozen');
  await slow.setBehaviour('mast');
  await observed.waitForNoAlerts();
});

it('alerts on a nearly full Redis, and on new cameras rejected for it', async () => {
  const { redis } = observed.fleet;
  const used = Number(await infoOf(redis, 'used_memory'));
  await redis.command('CONFIG', 'SET', 'maxmemory', String(Math.ceil(used / 0.87)));
  requestNewCameras({});
  await observed
    .waitForAlerts('LastframeNewCamerasRefused', 'LastframeFramesRedisFull')
    .finally(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'));
  clearInterval(requestTimer);
  await observed.waitForNoAlerts();
});

it('alerts when the limit of streams is reached', async () => {
  const leaving = new AbortController();
  const url = `${observed.api.url}/events?camera=mast`;
  // Read each body: an unreferenced response is closed by garbage collection.
  const open = async () => {
    const { status, body } = await fetch(url, { signal: leaving.signal });
    void body?.pipeTo(new WritableStream()).catch(() => {});
    return status;
  };
  expect(await Promise.all([open(), open()])).toEqual([200, 200]);
  await observed.waitForAlerts('LastframeStreamsFull').finally(() => leaving.abort());
  await observed.waitForNoAlerts();
});
