import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { SHARDS } from '@lastframe/shared/redis/cluster/shard';
import { keysFor } from '@lastframe/shared/redis/keys';
import { parseDurationMs } from '@lastframe/shared/settings/units';
import { createClient } from 'redis';
import { checkCalls } from '../testing/checks/checker.ts';
import { startFleet } from '../testing/fleet/fleet.ts';
import { cpuMs, residentMiB } from '../testing/fleet/proc.ts';

/**
 * Measures how soon a crowd on one api process receives each frame after its announcement. An event
 * counts when it is read, a picture when the boundary after it is. One more viewer reads nothing.
 */
const durationMs = parseDurationMs(process.env.DURATION ?? '30s') ?? 30_000;
const SSE_VIEWERS = 1000;
const MJPEG_VIEWERS = 200;
const CEILING_MS = 250;
const INTERVAL_MS = 1000;
const FRAME_SIZE = '80KiB';

const fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 200 });
const [api] = fleet.apis;
if (!api) throw new Error('no api was started');
const camera = fleet.slow.camera('crowd', { bytes: FRAME_SIZE });
const sockets: Socket[] = [];
const announcedMs: number[] = [];

const listener = createClient({ url: fleet.redis.url });
await listener.connect();
await listener.subscribe(keysFor(fleet.redisPrefix).channels(SHARDS), (text) => {
  if (decodeAnnouncement(text)?.kind === 'frame') announcedMs.push(performance.now());
});

const open = async (path: string, onData?: (chunk: Buffer) => void) => {
  const socket = connect(Number(api.listening.port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const query = `url=${encodeURIComponent(camera)}`;
  socket.write(`GET ${path}?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  if (onData) socket.on('data', onData);
  else socket.pause();
};

/** Counts each viewer's frames by `mark`, a text that the stream has once per frame. */
function crowdOf(name: string, viewers: number, mark: string) {
  const needle = Buffer.from(mark);
  const crowd = { name, viewers, delaysMs: [] as number[], seen: [] as number[] };
  const viewer = (n: number) => {
    let tail = Buffer.alloc(0);
    crowd.seen[n] = 0;
    return (chunk: Buffer) => {
      const nowMs = performance.now();
      const text = Buffer.concat([tail, chunk]);
      let at = text.indexOf(needle);
      let end = 0;
      while (at >= 0) {
        crowd.seen[n] = (crowd.seen[n] ?? 0) + 1;
        const announced = announcedMs.at(-1);
        if (measuring && announced !== undefined) crowd.delaysMs.push(nowMs - announced);
        end = at + needle.length;
        at = text.indexOf(needle, end);
      }
      tail = Buffer.from(text.subarray(Math.max(end, text.length - needle.length + 1)));
    };
  };
  return { crowd, viewer };
}

let measuring = false;
const sse = crowdOf('SSE', SSE_VIEWERS, 'event: frame');
const mjpeg = crowdOf('MJPEG', MJPEG_VIEWERS, '\r\n--frame\r\n');
for (let n = 0; n < SSE_VIEWERS; n += 1) await open('/events', sse.viewer(n));
for (let n = 0; n < MJPEG_VIEWERS; n += 1) await open('/stream', mjpeg.viewer(n));
await open('/stream');
while (mjpeg.crowd.seen.some((frames) => frames === 0)) await sleep(100);
/** Waits until halfway between two frames, so that either every viewer counts a frame or none. */
const betweenFrames = async () => {
  const before = announcedMs.length;
  while (announcedMs.length === before) await sleep(10);
  await sleep(INTERVAL_MS / 2);
};
for (let n = 0; n < 3; n += 1) await betweenFrames(); // everybody is connected
const residentBefore = await residentMiB(api.pid);
const announcedBefore = announcedMs.length;
const cpuBefore = await cpuMs(api.pid);
const ownCpuBefore = await cpuMs(process.pid);
measuring = true;
await sleep(durationMs);
await betweenFrames();
measuring = false;
const cpuUsedMs = (await cpuMs(api.pid)) - cpuBefore;
const ownCpuUsedMs = (await cpuMs(process.pid)) - ownCpuBefore;
const frames = announcedMs.length - announcedBefore;
const residentAfter = await residentMiB(api.pid);

console.log(
  `${cpus().length} × ${cpus()[0]?.model}, node ${process.versions.node}; load generator, Redis, worker and camera on the same machine`,
);
console.log(
  `${frames} frames of ${FRAME_SIZE}, one a second, on one api process; one viewer reads nothing`,
);
console.log('viewers      frames received   median     p99        slowest');
let failed = false;
for (const { name, viewers, delaysMs } of [sse.crowd, mjpeg.crowd]) {
  delaysMs.sort((a, b) => a - b);
  const at = (share: number) =>
    delaysMs[Math.min(delaysMs.length - 1, Math.floor(delaysMs.length * share))] ?? Number.NaN;
  const receivedShare = delaysMs.length / (frames * viewers);
  failed ||= delaysMs.length !== frames * viewers || !(at(1) <= CEILING_MS);
  console.log(
    [
      `${viewers} ${name}`.padEnd(12),
      `${(100 * receivedShare).toFixed(2)} %`.padEnd(17),
      ...[0.5, 0.99, 1].map((share) => `${at(share).toFixed(1)} ms`.padEnd(10)),
    ].join(' '),
  );
}
const perFrame = (ms: number) => `${(ms / frames).toFixed(0)} ms per frame`;
console.log(
  `CPU of the process: ${perFrame(cpuUsedMs)}; of the load generator: ${perFrame(ownCpuUsedMs)}`,
);
console.log(
  `memory of the process: ${residentBefore.toFixed(0)} MiB before, ${residentAfter.toFixed(0)} MiB after`,
);

for (const socket of sockets) socket.destroy();
listener.destroy();
const verdict = checkCalls(await fleet.slow.calls(), INTERVAL_MS, await fleet.slow.pauses());
console.log(
  `${verdict.calls} calls, smallest gap ${verdict.smallestGapMs.toFixed(1)} ms, ${verdict.breaches.length} breaches`,
);
await fleet.stop();
if (failed)
  console.error(`a frame was lost, or came later than ${CEILING_MS} ms after its announcement`);
if (failed || verdict.breaches.length > 0) process.exitCode = 1;
