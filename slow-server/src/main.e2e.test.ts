import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';

const MAIN = new URL('./main.ts', import.meta.url).pathname;

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function listening(child: ChildProcess & { stdout: NodeJS.ReadableStream }) {
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(line);
}

it('says on one line where it listens', async () => {
  const child = start({ HOST: '127.0.0.1', PORT: '0', DELAY: '1ms' });
  const line = await listening(child);
  expect(line).toMatchObject({
    msg: 'listening',
    part: 'slow-server',
    host: '127.0.0.1',
    pid: child.pid,
  });
  expect((await fetch(`http://127.0.0.1:${line.port}/image?size=64x36`)).status).toBe(200);
});

it.each(['SIGTERM', 'SIGINT'] as const)(
  'ends with code 0 soon after %s, open calls or not',
  async (signal) => {
    const child = start({ HOST: '127.0.0.1', PORT: '0', DELAY: '1h' });
    const { port } = await listening(child);
    const open = fetch(`http://127.0.0.1:${port}/image`);
    open.catch(() => {});
    const calls = async () =>
      (await (await fetch(`http://127.0.0.1:${port}/calls`)).json()) as unknown[];
    await expect.poll(async () => (await calls()).length, { timeout: 20_000 }).toBe(1);
    const askedMs = performance.now();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(performance.now() - askedMs).toBeLessThan(5000);
    await expect(open).rejects.toThrow();
  },
);

it('ends with code 1 and every fault when the configuration is bad', async () => {
  const child = start({ PORT: 'http', DELAY: '5' });
  const exited = once(child, 'exit');
  expect(await text(child.stderr)).toBe(
    "The slow server can't start:\n" +
      '- PORT is "http", expected a port from 0 to 65535 (0 takes a free one)\n' +
      '- DELAY is "5", expected a duration like 500ms, 5s or 1m, of at most 24h\n',
  );
  expect(await exited).toEqual([1, null]);
});

it('ends with code 1 and one sentence when the port is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const child = start({ HOST: '127.0.0.1', PORT: String(port) });
  const exited = once(child, 'exit');
  expect(await text(child.stderr)).toBe(
    `The slow server can't listen on 127.0.0.1 port ${port}: the port is in use.\n`,
  );
  expect(await exited).toEqual([1, null]);
});
