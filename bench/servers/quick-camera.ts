import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDurationMs } from '@lastframe/shared/settings/units';
import { recordPauses } from '../../slow-server/src/calls/pauses.ts';
import type { UpstreamCall } from '../../testing/checks/checker.ts';
import { cameraFrame } from '../load/camera-frame.ts';
import { machineMs } from '../load/machine-clock.ts';

/**
 * A slow camera that costs next to nothing, for benchmarks of the fleet. It draws no picture and
 * responds to every call with different bytes of the same size, after `DELAY` or its own `delay=`.
 * `GET /calls?since=` and `GET /pauses` return the logs for the checker.
 */
const defaultDelayMs = parseDurationMs(process.env.DELAY ?? '') ?? 0;
const calls: UpstreamCall[] = [];
const pauses = recordPauses(machineMs);

const server = createServer({ noDelay: true }, (req, res) => {
  const { url = '/' } = req;
  const query = new URL(url, 'http://camera').searchParams;
  if (url.startsWith('/calls') || url === '/pauses') {
    const since = Number(query.get('since'));
    const body = JSON.stringify(url === '/pauses' ? pauses.all() : calls.slice(since));
    res.setHeader('Content-Type', 'application/json').end(body);
    return;
  }
  const delayMs = parseDurationMs(query.get('delay') ?? '') ?? defaultDelayMs;
  const number = calls.length + 1;
  const startMs = machineMs();
  const call: UpstreamCall = { number, url, name: url, startMs, endMs: null, status: null };
  calls.push(call);
  const timer = setTimeout(() => {
    call.status = 200;
    res.setHeader('Content-Type', 'image/jpeg').end(cameraFrame(startMs, number));
  }, delayMs);
  const end = () => {
    clearTimeout(timer);
    call.endMs ??= machineMs();
  };
  res.once('finish', end).once('close', end);
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', port }));
});
