import { Agent, get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Fleet, type FleetOptions, startFleet } from '../testing/fleet/fleet.ts';

let fleet: Fleet;

/** Starts a fleet that the tests of a `describe` share. */
function share(options: FleetOptions): void {
  beforeAll(async () => {
    fleet = await startFleet(options);
  });
  afterAll(async () => {
    await fleet.checkAndStop();
    expect(fleet.apis.flatMap((api) => [...api.undocumented])).toEqual([]);
  });
}

function firstApi(): Api {
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  return api;
}

describe('with an interval of half a second, the fleet', () => {
  share({ intervalMs: 500 });

  it('sends a waiting viewer the next frame as soon as it exists, without other viewers', async () => {
    const camera = fleet.slow.camera('poll');
    let etag = (await firstApi().image(camera)).headers.get('etag') ?? '';
    for (let n = 0; n < 3; n += 1) {
      const headers = { Prefer: 'wait=20', 'If-None-Match': etag };
      const next = await firstApi().image(camera, { headers });
      expect([next.status, next.headers.get('preference-applied')]).toEqual([200, 'wait=20']);
      expect(next.headers.get('etag')).not.toBe(etag);
      etag = next.headers.get('etag') ?? '';
      await next.arrayBuffer();
    }
  });

  it('stops calling a camera after the waiting viewer has disconnected', async () => {
    const camera = fleet.slow.camera('left', { as: 'frozen' });
    const etag = (await firstApi().image(camera)).headers.get('etag') ?? '';
    const viewer = new AbortController();
    const headers = { Prefer: 'wait=60', 'If-None-Match': etag };
    const waiting = firstApi().image(camera, { headers, signal: viewer.signal });
    const calls = async () =>
      (await fleet.slow.calls()).filter(({ name }) => name === 'left').length;
    await expect.poll(calls, { timeout: 30_000 }).toBeGreaterThan(3);
    viewer.abort();
    await expect(waiting).rejects.toThrow();
    let before = -1;
    const isStill = async () => {
      const now = await calls();
      const still = now === before;
      before = now;
      return still;
    };
    await expect.poll(isStill, { interval: 2500, timeout: 60_000 }).toBe(true);
  });
});

describe('with an interval of a minute, the fleet', () => {
  const env = {
    ALLOWED_SOURCES: 'http://127.0.0.1:*/*,http://localhost:*/*',
    UPSTREAM_TIMEOUT: '30s',
    COLD_WAIT: '30s',
  };
  share({ intervalMs: 60_000, env });

  it('serves other connections while one waits for a cold camera, then serves that one', async () => {
    const warm = fleet.slow.camera('warm');
    await (await firstApi().image(warm)).arrayBuffer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const onOneConnection = (camera: string) =>
      new Promise<number>((resolve, reject) => {
        const url = `${firstApi().url}/images?url=${encodeURIComponent(camera)}`;
        get(url, { agent }, (res) => {
          res.resume();
          res.on('end', () => resolve(res.statusCode ?? 0));
        }).on('error', reject);
      });
    const ended: string[] = [];
    const cold = onOneConnection(fleet.slow.camera('cold', { delay: '5s' })).then((status) => {
      ended.push('cold');
      return status;
    });
    await expect.poll(async () => (await fleet.slow.calls()).length, { timeout: 20_000 }).toBe(2);
    for (let n = 0; n < 5; n += 1) expect((await firstApi().image(warm)).status).toBe(200);
    expect(ended).toEqual([]);
    expect([await cold, await onOneConnection(warm)]).toEqual([200, 200]);
    agent.destroy();
  });

  it('detects a camera URL that loops back to the same fleet, but serves another fleet', async () => {
    const path = `/images?url=${encodeURIComponent(fleet.slow.camera('inner'))}`;
    const own = await firstApi().image(firstApi().url + path);
    expect([own.status, await own.text()]).toEqual([400, expect.stringMatching(/this Lastframe/)]);

    // Under another name, only the camera call finds out.
    const inner = `http://localhost:${firstApi().listening.port}${path}`;
    const looped = await firstApi().image(inner);
    expect(looped.status).toBe(502);
    expect(looped.headers.get('proxy-status')).toContain('received-status=508');
    expect((await fleet.slow.calls()).filter(({ name }) => name === 'inner')).toEqual([]);

    const other = await startFleet({ env, redis: fleet.redis });
    try {
      expect((await other.apis[0]?.image(inner))?.status).toBe(200);
    } finally {
      await Promise.all([...other.apis, ...other.workers, other.slow].map((child) => child.end()));
    }
  });
});
