import { afterAll, afterEach, beforeAll, it } from 'vitest';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
let asking: NodeJS.Timeout | undefined;

beforeAll(async () => {
  observed = await startObservedFleet();
  const { slow } = observed.fleet;
  await observed.view([slow.camera('gate'), slow.camera('a'), slow.camera('b')]);
}, 60_000);

afterEach(() => clearInterval(asking));

afterAll(async () => {
  await observed.fleet.check();
  await observed.stop();
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
  await observed.silent();
  const { slow } = observed.fleet;
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.behave(name, { status: '500' })));
  askForNewCameras({ status: '500' });
  await observed.fires(
    'LastframeRequestsFailing',
    'LastframeSourceFailing',
    'LastframeStaleServed',
  );
});

it('all of them are silent again when viewers get frames', async () => {
  const { slow } = observed.fleet;
  await Promise.all(['gate', 'a', 'b'].map((name) => slow.behave(name)));
  await observed.view([slow.camera('c'), slow.camera('d')]);
  await observed.silent();
});
