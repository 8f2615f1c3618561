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

it('logs on one line where it listens', async () => {
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
  'exits with code 0 soon after %s, even with open calls',
  async (signal) => {
    const child = start({ HOST: '127.0.0.1', PORT: '0', DELAY: '1h' });
    const { port } = await listening(child);
    const open = fetch(`http://127.0.0.1:${port}/image`);
    open.catch(() => {});
    const calls = async () =>
      (await (await fetch(`http://127.0.0.1:${port}/calls`)).json()) as unknown[];
    await expect.poll(async () => (await calls()).length, { timeout: 20_000 }).toBe(1);
    const signalledMs = performance.now();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(performance.now() - signalledMs).toBeLessThan(5000);
    await expect(open).rejects.toThrow();
  },
);

it('exits with code 1 and every fault if the configuration is invalid', async () => {
  const child = start({ PORT: 'http', DELAY: '5' });
  const exited = once(child, 'exit');
  expect(await text(child.stderr)).toBe(
    'The slow server cannot start:\n' +
      '- PORT is "http", expected a port from 0 to 65535 (0 picks a free one)\n' +
      '- DELAY is "5", expected a duration like 500ms, 5s or 1m, at most 24h\n',
  );
  expect(await exited).toEqual([1, null]);
});

it('exits with code 1 and one sentence if the port is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const child = start({ HOST: '127.0.0.1', PORT: String(port) });
  const exited = once(child, 'exit');
  expect(await text(child.stderr)).toBe(
    `The slow server cannot listen on 127.0.0.1 port ${port}: the port is in use.\n`,
  );
  expect(await exited).toEqual([1, null]);
});
