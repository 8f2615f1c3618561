import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { limitOpenResponses, takeConnection } from './open-responses.ts';

/** Connects to a server that runs `listener` for each request. */
async function connection(listener: RequestListener) {
  const heard = vi.fn(listener);
  const server = createServer(limitOpenResponses(heard)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'connect');
  const send = (times: number) => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(times));
  return { heard, socket, send, received: () => received };
}

const neverAnswer = () => {};
const answer = (_: IncomingMessage, res: ServerResponse) => void res.end('ok');

it('a few pipelined requests are served in order', async () => {
  const { send, received } = await connection(answer);
  send(8);
  await expect.poll(() => received().match(/200 OK/g)?.length).toBe(8);
  send(8);
  await expect.poll(() => received().match(/200 OK/g)?.length).toBe(16);
});

it('a connection that pipelines too many requests is closed', async () => {
  const { send, socket, heard } = await connection(neverAnswer);
  send(100);
  await once(socket, 'close');
  expect(heard).toHaveBeenCalledTimes(8);
});

it('requests behind an endless response are ignored', async () => {
  const stream = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    expect(takeConnection({ incoming, outgoing })).toBe(true);
    outgoing.write('first');
  };
  const { send, received, heard } = await connection(stream);
  send(1);
  await expect.poll(received).toContain('first');
  send(2);
  await expect.poll(received).toContain('Connection: close');
  expect(heard).toHaveBeenCalledOnce();
});

it('an endless response cannot take a connection on which others are open', async () => {
  const taken: boolean[] = [];
  const { send } = await connection((incoming, outgoing) => {
    setImmediate(() => taken.push(takeConnection({ incoming, outgoing })));
  });
  send(3);
  await expect.poll(() => taken).toEqual([false, false, false]);
});
