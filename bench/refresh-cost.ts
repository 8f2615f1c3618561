import { setTimeout as sleep } from 'node:timers/promises';
import { startCameraFleet } from './support/camera-fleet.ts';
import { commandCounts, cpuMs, difference, trafficOf } from './support/cost.ts';
import { startDemand } from './support/demand-load.ts';

const cameras = Number(process.env.CAMERAS ?? 500);
const apis = Number(process.env.APIS ?? 2);
const intervalMs = 5000;
const delayMs = Number(process.env.DELAY_MS ?? 2000);
const measureMs = Number(process.env.MEASURE_MS ?? 15000);

const fleet = await startCameraFleet({ apis, intervalMs, delayMs });
try {
  const load = startDemand({
    askers: fleet.apis.map(({ asker }) => asker),
    cameras,
    target: fleet.target,
    everyMs: intervalMs,
    at: 'one',
  });
  await sleep(3 * intervalMs);
  load.take();
  const look = async () => ({
    cpu: {
      ...Object.fromEntries(fleet.apis.map(({ pid }, n) => [`api${n}`, cpuMs(pid)])),
      ...Object.fromEntries(fleet.workers.map(({ pid }, n) => [`worker${n}`, cpuMs(pid)])),
      redis: cpuMs(fleet.redis.pid),
      camera: cpuMs(fleet.camera.pid),
      load: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
    },
    commands: await commandCounts(fleet.redis),
    traffic: await trafficOf(fleet.redis),
    adds: { adds: Number(await fleet.redis.command('GET', `${fleet.redisPrefix}:refresh:id`)) },
    atMs: Number(process.hrtime.bigint()) / 1e6,
  });
  const before = await look();
  await sleep(measureMs);
  const after = await look();
  const seen = load.take();
  await load.stop();
  const calls = await fleet.calls();
  const made = calls.filter(({ startMs }) => startMs >= before.atMs && startMs < after.atMs).length;
  const due = (cameras * (after.atMs - before.atMs)) / intervalMs;
  const cpu = difference(after.cpu, before.cpu);
  const per = (counts: Record<string, number>, digits = 2) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${name} ${(n / made).toFixed(digits)}`)
      .join(', ');
  const ours = Object.entries(cpu).filter(([name]) => name !== 'camera' && name !== 'load');
  const total = ours.reduce((sum, [, ms]) => sum + ms, 0);
  const ages = seen.agesMs.toSorted((a, b) => a - b);
  const at = (q: number) => ages[Math.floor(ages.length * q)]?.toFixed(0);
  const verdict = await fleet.check();
  console.log(
    `cameras ${cameras} apis ${apis}: ${made} refreshes, ${((100 * made) / due).toFixed(1)} % of the calls due`,
  );
  console.log(`CPU per refresh ${(total / made).toFixed(2)} ms: ${per(cpu)}`);
  console.log(`adds per refresh ${per(difference(after.adds, before.adds))}`);
  console.log(`commands: ${per(difference(after.commands, before.commands))}`);
  console.log(`traffic: ${per(difference(after.traffic, before.traffic), 1)}`);
  console.log(
    `ages p50 ${at(0.5)} p99 ${at(0.99)} max ${at(0.999999)}; failures ${seen.failures.length} ${seen.failures[0] ?? ''}`,
  );
  console.log(
    `gap ${verdict.smallestGapMs.toFixed(1)}, breaches ${verdict.breaches.length}, whole share ${verdict.shareOfIntervals.toFixed(3)}`,
  );
} finally {
  await fleet.stop();
}
