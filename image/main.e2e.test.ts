import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../testing/fleet/child.ts';

const script = (name: string) => join(import.meta.dirname, name);
const run = (name: string, arg: string, env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [script(name), arg], { env, encoding: 'utf8' });

it('runs the process that its command names, whose health check passes until it ends', async () => {
  const env = { HOST: '127.0.0.1', PORT: '0' };
  const child = await startChild(script('main.ts'), env, { args: ['slow-server'] });
  const isHealthy = (port: unknown) => {
    const checked = run('healthcheck.ts', String(child.pid), { ...env, PORT: String(port) });
    return checked.status === 0;
  };
  try {
    expect([isHealthy(child.listening.port), isHealthy(1)]).toEqual([true, false]);
  } finally {
    expect(await child.end()).toBe(0);
  }
});

it('rejects an unknown command with a sentence', () => {
  const { status, stderr } = run('main.ts', 'aip');
  expect([status, stderr]).toEqual([
    1,
    'lastframe: "aip" is not a known command; expected one of api, worker, slow-server\n',
  ]);
});
