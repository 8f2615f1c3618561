import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { residentMiB } from '../../testing/fleet/proc.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';
import { sendRawRequest } from './ask.ts';

const SLOW_HEADS = 1000;
let fleet: Fleet;
let warmCamera: string;
const apiUrl = () => fleet.apis[0]?.url ?? '';
const target = (camera: string) => `/images?url=${encodeURIComponent(camera)}`;

beforeAll(async () => {
  fleet = await startFleet({ env: { COLD_PER_MINUTE: '4', COLD_WAIT: '100ms', MAX_STREAMS: '4' } });
  // It counts as one of the four.
  warmCamera = fleet.slow.camera('hosts');
  await warmUp([apiUrl()], [warmCamera]);
});

afterAll(async () => {
  await fleet.checkAndStop();
});

it('a client gets no more cold cameras by forging its address', async () => {
  const statuses: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const camera = fleet.slow.camera(`cold-${n}`, { delay: '1m' });
    const { body } = await sendRawRequest(apiUrl(), target(camera), [
      `X-Forwarded-For: 203.0.113.${n}, 198.51.100.${n}`,
      `Forwarded: for=203.0.113.${n}`,
      `X-Real-IP: 203.0.113.${n}`,
    ]);
    statuses.push(/too many new cameras/.test(body) ? 'refused' : 'asked');
  }
  // The limit may admit a few more while the test runs.
  expect(statuses.slice(0, 3)).toEqual(['asked', 'asked', 'asked']);
  expect(statuses.filter((status) => status === 'refused').length).toBeGreaterThanOrEqual(6);
});

it('a client cannot take all streams by forging its address', async () => {
  const leaving = new AbortController();
  const camera = fleet.slow.camera('streamed');
  const open = async (n: number) => {
    const headers = { 'X-Forwarded-For': `203.0.113.${n}` };
    const url = `${apiUrl()}/events?url=${encodeURIComponent(camera)}`;
    return await fetch(url, { headers, signal: leaving.signal });
  };
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push(await open(n));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503]);
  const refused = answers.at(-1);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await refused?.text()).toMatch(/too many open streams from your address/);
  leaving.abort();
});

describe('an invalid Host', () => {
  it('is rejected with a problem, also on a connection that the fast path serves', async () => {
    const { port } = new URL(apiUrl());
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    const get = (...hosts: string[]) =>
      `${[`HEAD ${target(warmCamera)} HTTP/1.1`, ...hosts.map((host) => `Host: ${host}`)].join('\r\n')}\r\n\r\n`;
    // The routes learn the target, then the fast path serves it, then the routes must reject.
    for (const turn of [1, 2]) {
      socket.write(get('a'));
      await expect.poll(() => text.match(/^HTTP\/1.1 200 /gm)?.length).toBe(turn);
    }
    socket.write(get('a', 'a'));
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 400 [\s\S]*application\/problem\+json/m);
  });
});

it('probes are answered while a thousand incomplete requests hang on the ops port', async () => {
  const opsUrls = [...fleet.apis, ...fleet.workers].map(({ opsUrl }) => opsUrl);
  const sockets: Socket[] = [];
  for (const opsUrl of opsUrls) {
    const { port } = new URL(opsUrl);
    const opening = Array.from({ length: SLOW_HEADS }, async () => {
      // What is not read keeps a closed connection from ending.
      const socket = connect(Number(port), '127.0.0.1').resume();
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write('GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    });
    await Promise.all(opening);
    for (const path of ['/livez', '/readyz', '/metrics'])
      expect((await fetch(opsUrl + path)).status).toBe(200);
    // The header timeout closes those that were not closed in favour of later ones.
    const open = () => sockets.filter(({ closed }) => !closed).length;
    await expect.poll(open, { timeout: 60_000 }).toBe(0);
  }
});

it('probes are answered while a client requests thousands of metrics pages and reads none', async () => {
  for (const { opsUrl, pid } of [...fleet.apis, ...fleet.workers]) {
    const beforeMiB = await residentMiB(pid);
    const { port } = new URL(opsUrl);
    const sockets = Array.from({ length: 50 }, () => connect(Number(port), '127.0.0.1').pause());
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200));
    }
    await Promise.all(sockets.map((socket) => once(socket, 'ready')));
    expect((await fetch(`${opsUrl}/livez`)).status).toBe(200);
    for (const socket of sockets) socket.resume();
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    // Buffering all of them would take half a gigabyte.
    expect((await residentMiB(pid)) - beforeMiB).toBeLessThan(150);
  }
});
