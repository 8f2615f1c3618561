import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from '../testing/checks/quantile.ts';
import type { Fleet } from '../testing/fleet/fleet.ts';
import { cpuMs, residentMiB } from '../testing/fleet/proc.ts';
import { subscribeToFrames } from '../testing/viewers/announcements.ts';
import { type BenchContext, type Figure, type Measured, rowsOf } from './figures/figure.ts';
import { withFleet } from './figures/with-fleet.ts';

const INTERVAL_MS = 1000;
/** `mark` is a text that the stream has once per frame, behind it. */
const CROWDS = [
  { of: 'SSE', viewers: 1000, path: '/events', mark: 'event: frame' },
  { of: 'MJPEG', viewers: 200, path: '/stream', mark: '\r\n--frame\r\n' },
];

export const streams: Figure = {
  name: 'streams',
  title: 'From a frame’s announcement until a crowd on one api process receives it',
  how: '1,000 SSE and 200 MJPEG viewers of one 80 KiB frame a second. An event counts when it is read, a picture when the boundary after it is. One more viewer reads nothing. Load generator, Redis, worker and camera share the machine.',
  measure: (context) =>
    withFleet({ intervalMs: INTERVAL_MS, delayMs: 200 }, (fleet) => measureCrowds(fleet, context)),
};

async function measureCrowds(fleet: Fleet, { durationMs, showProgress }: BenchContext) {
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const query = `url=${encodeURIComponent(fleet.slow.camera('crowd', { bytes: '80KiB' }))}`;
  const announcedMs: number[] = [];
  const listener = await subscribeToFrames(fleet, () => announcedMs.push(performance.now()));
  /** Waits until halfway between two frames, so that either every viewer counts a frame or none. */
  const betweenFrames = async () => {
    const before = announcedMs.length;
    while (announcedMs.length === before) await sleep(10);
    await sleep(INTERVAL_MS / 2);
  };
  showProgress('connecting');
  const port = Number(api.listening.port);
  const crowds = CROWDS.map((crowd) => ({ ...crowd, delaysMs: [] as number[] }));
  const sockets = [await openStream(port, `/stream?${query}`)]; // reads nothing
  for (const { viewers, path, mark, delaysMs } of crowds) {
    for (let n = 0; n < viewers; n += 1) {
      const socket = await openStream(port, `${path}?${query}`);
      sockets.push(socket);
      onEach(mark, socket, () => delaysMs.push(performance.now() - (announcedMs.at(-1) ?? 0)));
    }
  }
  for (let n = 0; n < 3; n += 1) await betweenFrames(); // every viewer has had a frame
  showProgress('measuring');
  for (const { delaysMs } of crowds) delaysMs.length = 0;
  const framesBefore = announcedMs.length;
  const before = await usageOf(api.pid);
  await sleep(durationMs);
  await betweenFrames();
  const after = await usageOf(api.pid);
  const frames = announcedMs.length - framesBefore;
  for (const socket of sockets) socket.destroy();
  listener.close();
  const row = rowsOf('the process');
  return [
    ...crowds.flatMap((crowd) => crowdRows(crowd, frames)),
    row('frames', '', frames),
    row('CPU per frame', 'ms', (after.apiMs - before.apiMs) / frames),
    row('CPU per frame, load generator', 'ms', (after.ownMs - before.ownMs) / frames),
    row('memory before', 'MiB', before.apiMiB),
    row('memory after', 'MiB', after.apiMiB),
  ];
}

async function openStream(port: number, target: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

/** Reads from the socket and calls `onMark` for each mark, even one split over chunks. */
function onEach(mark: string, socket: Socket, onMark: () => void): void {
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const parts = (rest + chunk).split(mark);
    for (let n = 1; n < parts.length; n += 1) onMark();
    rest = parts.at(-1)?.slice(1 - mark.length) ?? '';
  });
}

async function usageOf(pid: number) {
  const [apiMs, ownMs] = await Promise.all([cpuMs(pid), cpuMs(process.pid)]);
  return { apiMs, ownMs, apiMiB: await residentMiB(pid) };
}

function crowdRows(
  { of, viewers, delaysMs }: { of: string; viewers: number; delaysMs: number[] },
  frames: number,
): Measured[] {
  const row = rowsOf(`${viewers} ${of} viewers`);
  const receivedPercent = (100 * delaysMs.length) / (frames * viewers);
  return [
    row('frames received', '%', receivedPercent, { least: 100, isRequired: true }),
    row('median', 'ms', quantileOf(delaysMs, 0.5)),
    row('p99', 'ms', quantileOf(delaysMs, 0.99)),
    row('slowest', 'ms', quantileOf(delaysMs, 1), { most: 250, isRequired: true }),
  ];
}
