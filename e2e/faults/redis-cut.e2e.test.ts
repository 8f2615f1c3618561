import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  expectCleanFinish,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  expectSilence,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';

/** Long enough for every connection to be dropped, and for new ones to be swallowed too. */
const CUT_MS = 3000;
/** The documented 2 and 15 s, plus three for a busy machine. */
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
  it('between api and Redis: hits come from memory, cold requests are rejected in bounded time', async () => {
    await fleet.startWorker({ ADOPT_REDIS: 'true' });
    await fleet.startApi(throughProxy());
    const audience = await startAudience(fleet);

    proxy.blackHole();
    const noFrame = expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await expectSwallowed(proxy.port, CUT_MS);
    await noFrame;
    await expectNoFrameYet(audience.api, fleet.slow.camera('colder'));

    proxy.heal();
    await expectRecovery(fleet, audience, API_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });

  it('between the only worker and Redis: no camera is called, and viewers keep their frames', async () => {
    const worker = await fleet.startWorker({ ADOPT_REDIS: 'true', ...throughProxy() });
    await fleet.startApi();
    const audience = await startAudience(fleet);

    proxy.blackHole();
    const noFrame = expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await Promise.all([expectSwallowed(proxy.port, CUT_MS), expectSilence(fleet), noFrame]);
    await expect
      .poll(async () => (await fetch(`${worker.opsUrl}/readyz`)).status, { timeout: 10_000 })
      .toBe(503);

    proxy.heal();
    await expectRecovery(fleet, audience, WORKER_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });
});

function throughProxy(): Record<string, string> {
  return { REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
}

/** Expects no reply to a PING while the cut lasts, and an open connection. */
async function expectSwallowed(port: number, ms: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let replies = 0;
  socket.on('data', () => {
    replies += 1;
  });
  socket.write('PING\r\n');
  await pause(ms); // the fault itself
  expect(replies).toBe(0);
  expect(socket.closed).toBe(false);
  socket.destroy();
}
