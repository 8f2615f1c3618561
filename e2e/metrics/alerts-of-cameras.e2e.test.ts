import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { infoOf } from '../../testing/short-faults.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
let asking: NodeJS.Timeout | undefined;

beforeAll(async () => {
  observed = await startObservedFleet(async () => ({ MAX_STREAMS: '2' }));
  const { slow } = observed.fleet;
  await observed.view([slow.camera('gate'), slow.camera('a'), slow.camera('b')]);
});

afterEach(() => clearInterval(asking));

afterAll(async () => {
  await observed?.checkAndStop();
});

/** Somebody asks for a new camera, time and again, and doesn't wait for it. */
function askForNewCameras(query: Record<string, string>): void {
  let n = 0;
  asking = setInterval(() => {
    n += 1;
    const camera = observed.fleet.slow.camera(`new-${n}`, query);
    void observed.api.image(camera).then(
      (answer) => answer.arrayBuffer(),
      () => {},
    );
  }, 200);
}

it('cameras that fail: those of the source, the named one, late frames, requests without a frame', async () => {
  const { slow } = observed.fleet;
  await observed.silent();
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.behave(name, { status: '500' })));
  askForNewCameras({ status: '500' });
  await observed.fires(
    'LastframeCameraFailing',
    'LastframeRequestsFailing',
    'LastframeSourceFailing',
    'LastframeStaleServed',
  );
});

it('none of them once viewers get frames again', async () => {
  const { slow } = observed.fleet;
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.behave(name)));
  await observed.view([slow.camera('c'), slow.camera('d')]);
  await observed.silent();
});

it('a camera that gives the same picture for ever', async () => {
  const { slow } = observed.fleet;
  await slow.behave('mast', { as: 'frozen' });
  await observed.view([slow.camera('mast'), slow.camera('c')]);
  await observed.fires('LastframeCameraFrozen');
  await slow.behave('mast');
  await observed.silent();
});

it('a Redis that has hardly any memory left, and viewers who ask for new cameras', async () => {
  const { redis } = observed.fleet;
  const used = Number(await infoOf(redis, 'used_memory'));
  await redis.command('CONFIG', 'SET', 'maxmemory', String(Math.ceil(used / 0.87)));
  askForNewCameras({});
  await observed
    .fires('LastframeNewCamerasRefused', 'LastframeFramesRedisFull')
    .finally(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'));
  clearInterval(asking);
  await observed.silent();
});

it('streams, of which there are as many as may be', async () => {
  const leaving = new AbortController();
  const url = `${observed.api.url}/events?camera=mast`;
  // A reader each: an answer that nobody holds is closed when the garbage is collected.
  const open = async () => {
    const { status, body } = await fetch(url, { signal: leaving.signal });
    void body?.pipeTo(new WritableStream()).catch(() => {});
    return status;
  };
  expect(await Promise.all([open(), open()])).toEqual([200, 200]);
  await observed.fires('LastframeStreamsFull').finally(() => leaving.abort());
  await observed.silent();
});
