import { createServer, type Socket } from 'node:net';
import { recordPauses } from '../../slow-server/src/calls/pauses.ts';
import type { UpstreamCall } from '../../testing/checks/checker.ts';
import { cameraFrame } from '../load/camera-frame.ts';

/**
 * A slow camera that costs next to nothing, for benchmarks of the fleet. It draws no picture and
 * responds to every call with different bytes of the same size. `GET /calls` and `GET /pauses`
 * return the logs for the checker.
 */
const delayMs = Number(process.env.DELAY_MS ?? 0);
const sizeBytes = Number(process.env.SIZE_BYTES ?? 20_000);

const calls: UpstreamCall[] = [];
const pauses = recordPauses(machineMs);
const frame = cameraFrame(sizeBytes);
const head = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\nConnection: close\r\n\r\n`,
);

/** The machine-wide clock, so that a viewer in another process can compute a frame's age. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function answerImage(socket: Socket, url: string): void {
  const call: UpstreamCall = {
    number: calls.length + 1,
    url,
    name: url,
    startMs: machineMs(),
    endMs: null,
    status: null,
  };
  calls.push(call);
  const end = () => {
    call.endMs ??= machineMs();
  };
  const timer = setTimeout(() => {
    call.status = 200;
    socket.end(Buffer.concat([head, frame.at(call.startMs, call.number)]), end);
  }, delayMs);
  socket.on('close', () => {
    clearTimeout(timer);
    end();
  });
}

function answerJson(socket: Socket, value: unknown): void {
  const body = JSON.stringify(value);
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function answer(socket: Socket, path: string): void {
  if (path === '/calls') answerJson(socket, calls);
  else if (path === '/pauses') answerJson(socket, pauses.all());
  else answerImage(socket, path);
}

const server = createServer({ noDelay: true }, (socket) => {
  let request = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    if (request.endsWith('\r\n\r\n')) return;
    request += chunk.toString('latin1');
    if (request.endsWith('\r\n\r\n')) answer(socket, request.split(' ', 2)[1] ?? '/');
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  console.log(JSON.stringify({ msg: 'listening', port }));
});
