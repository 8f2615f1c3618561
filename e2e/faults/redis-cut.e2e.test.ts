import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import {
  expectNoFrameYet,
  expectNothingLeft,
  expectRecovery,
  expectServed,
  expectSilence,
  SHORT_TIMES,
  startAudience,
} from '../../testing/short-faults.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/tcp-proxy.ts';

/** Long enough for every connection to be given up, and for new ones to be lost in the hole too. */
const CUT_MS = 3000;
/** The rows promise 2 and 15 s; a busy machine gets three more. */
const API_CEILING_MS = 2000 + 3000;
const WORKER_CEILING_MS = 15_000 + 3000;

let fleet: Fleet;
let proxy: TcpProxy;

beforeEach(async () => {
  fleet = await startFleet({ apis: 0, workers: 0, env: SHORT_TIMES });
  proxy = await startTcpProxy(fleet.redis.port);
});

afterEach(async () => {
  await fleet.checkAndStop();
  await proxy.close();
});

describe('a network that swallows everything', () => {
  it('between api and Redis: hits from memory, cold requests refused in bounded time', async () => {
    await fleet.startWorker({ ADOPT_REDIS: 'true' });
    await fleet.startApi(throughProxy());
    const audience = await startAudience(fleet);

    proxy.blackHole();
    const refused = expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await expectSwallowed(proxy.port, CUT_MS);
    await refused;
    await expectNoFrameYet(audience.api, fleet.slow.camera('colder'));

    proxy.heal();
    await expectRecovery(fleet, audience, API_CEILING_MS);
    expectServed(await audience.stop());
    await expectNothingLeft(fleet);
  });

  it('between the only worker and Redis: nobody calls, and viewers keep their frames', async () => {
    const worker = await fleet.startWorker({ ADOPT_REDIS: 'true', ...throughProxy() });
    await fleet.startApi();
    const audience = await startAudience(fleet);

    proxy.blackHole();
    const refused = expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await Promise.all([expectSwallowed(proxy.port, CUT_MS), expectSilence(fleet), refused]);
    await expect
      .poll(async () => (await fetch(`${worker.opsUrl}/readyz`)).status, { timeout: 10_000 })
      .toBe(503);

    proxy.heal();
    await expectRecovery(fleet, audience, WORKER_CEILING_MS);
    expectServed(await audience.stop());
    await expectNothingLeft(fleet);
  });
});

function throughProxy(): Record<string, string> {
  return { REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
}

/** A PING sent now is not answered for as long as the cut lasts, nor is the connection refused. */
async function expectSwallowed(port: number, ms: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let heard = 0;
  socket.on('data', () => {
    heard += 1;
  });
  socket.write('PING\r\n');
  await pause(ms); // the fault itself
  expect(heard).toBe(0);
  expect(socket.closed).toBe(false);
  socket.destroy();
}
