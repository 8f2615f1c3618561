import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Runs `scripts/setup` in a new folder without `node_modules`, against a registry on this port. */
async function setUp(port: number) {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-setup-'));
  const script = join(folder, 'scripts/setup');
  cpSync(join(import.meta.dirname, 'setup'), script);
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: folder, npm_config_registry: `http://127.0.0.1:${port}/` };
  const startMs = performance.now();
  const stderr = await new Promise<string>((resolve) => {
    execFile(script, { env }, (_error, _stdout, text) => resolve(text));
  });
  rmSync(folder, { recursive: true });
  return { stderr, seconds: (performance.now() - startMs) / 1000 };
}

async function silentServer(): Promise<Server> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

it.each(['refuses connections', 'never responds'])(
  'without a network it says so at once: the registry %s',
  async (how) => {
    const server = await silentServer();
    const { port } = server.address() as AddressInfo;
    if (how === 'refuses connections') await new Promise((resolve) => server.close(resolve));
    const { stderr, seconds } = await setUp(port);
    server.close();
    expect(stderr.trim()).toMatch(/^The npm registry .* does not respond: check the network/);
    expect(stderr).not.toMatch(/npm err/i);
    // Ten seconds of silence, and the start of npm on a busy machine.
    expect(seconds).toBeLessThan(60);
  },
  90_000,
);
