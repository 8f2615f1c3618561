import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { boundOpenAnswers, takeConnection } from './open-answers.ts';

/** A connection to a server that does with requests what the test says. */
async function connection(listener: RequestListener) {
  const heard = vi.fn(listener);
  const server = createServer(boundOpenAnswers(heard)).listen(0, '127.0.0.1');
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
  const ask = (times: number) => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(times));
  return { heard, socket, ask, received: () => received };
}

const neverAnswer = () => {};
const answer = (_: IncomingMessage, res: ServerResponse) => void res.end('ok');

it('a few requests ahead of their answers are answered, one after the other', async () => {
  const { ask, received } = await connection(answer);
  ask(8);
  await expect.poll(() => received().match(/200 OK/g)?.length).toBe(8);
  ask(8);
  await expect.poll(() => received().match(/200 OK/g)?.length).toBe(16);
});

it('a connection that asks for more than it can get answers to is cut', async () => {
  const { ask, socket, heard } = await connection(neverAnswer);
  ask(100);
  await once(socket, 'close');
  expect(heard).toHaveBeenCalledTimes(8);
});

it('nothing behind an answer that never ends is looked at', async () => {
  const stream = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    expect(takeConnection({ incoming, outgoing })).toBe(true);
    outgoing.write('first');
  };
  const { ask, received, heard } = await connection(stream);
  ask(1);
  await expect.poll(received).toContain('first');
  ask(2);
  await expect.poll(received).toContain('Connection: close');
  expect(heard).toHaveBeenCalledOnce();
});

it('an answer that never ends gets no connection on which others are open', async () => {
  const taken: boolean[] = [];
  const { ask } = await connection((incoming, outgoing) => {
    setImmediate(() => taken.push(takeConnection({ incoming, outgoing })));
  });
  ask(3);
  await expect.poll(() => taken).toEqual([false, false, false]);
});
