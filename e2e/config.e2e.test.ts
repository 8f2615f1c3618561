import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../testing/fleet/child.ts';

const REPO = join(import.meta.dirname, '..');
const PARTS = ['api', 'worker'] as const;
type Part = (typeof PARTS)[number];

const started = new Set<ChildProcess>();
const servers = new Set<Server>();

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const server of servers) server.close();
  started.clear();
  servers.clear();
});

describe('a bad configuration', () => {
  const COMMON = {
    REDIS_URL: ['http://localhost:6379', 'a URL like redis://'],
    FRAMES_REDIS_URL: ['localhost', 'a URL like redis://'],
    REDIS_PREFIX: ['two words', 'a word without spaces'],
    ALLOWED_SOURCES: ['localhost:8888/*', 'URL patterns like http://localhost:8888/*'],
    ALLOWED_NETWORKS: ['10.0.0.0/33', 'networks like 10.20.0.0/16'],
    INTERVAL: ['5', 'a duration like 500ms, 5s, 10m or 24h'],
    STALE_FOR: ['0s', 'a duration like'],
    OPS_PORT: ['65536', 'a port from 0 to 65535'],
    LOG_LEVEL: ['loud', 'one of fatal, error, warn'],
  };
  const SPECIFIC = {
    api: {
      COLD_WAIT: ['-5s', 'a duration like'],
      MEMORY_LIMIT: ['256', 'a size like 512KiB, 8MiB or 1GiB'],
      PORT: ['http', 'a port from 0 to 65535'],
      REUSE_PORT: ['yes', 'true or false'],
      BASE_PATH: ['cams', 'a path like / or /cams'],
      COLD_PER_MINUTE: ['-1', 'a whole number from 0 to 1000000'],
      TRUSTED_PROXIES: ['10.0.0.0/33', 'networks like 10.20.0.0/16'],
      MAX_WAITERS: ['0', 'a whole number from 1 to 1000000'],
    },
    worker: {
      UPSTREAM_TIMEOUT: ['1e3ms', 'a duration like'],
      START_ALLOWANCE: ['4 s', 'a duration like'],
      MAX_REPLICA_LAG: ['soon', 'a duration like'],
      ADOPT_REDIS: ['1', 'true or false'],
      MAX_FRAME_SIZE: ['8MB', 'a size like'],
      CONCURRENCY: ['1.5', 'a whole number from 1 to 1000000'],
    },
  };

  it.each(PARTS)(
    'stops the %s with code 1 and every fault on stderr: name, value, expected',
    async (part) => {
      const faults = Object.entries({ ...COMMON, ...SPECIFIC[part] });
      const env = Object.fromEntries(faults.map(([name, [given = '']]) => [name, given]));
      const { code, stdout, stderr } = await run(part, env);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      const [head, ...lines] = stderr.trimEnd().split('\n');
      expect(head).toBe('bad configuration:');
      expect(lines).toHaveLength(faults.length);
      for (const [name, [given, expected]] of faults) {
        const line = lines.find((text) => text.startsWith(`  ${name}: `));
        expect(line, name).toContain(`"${given}"`);
        expect(line, name).toContain(`expected ${expected}`);
      }
    },
  );

  it.each(PARTS)('in SOURCES_FILE also stops the %s and lists every fault', async (part) => {
    const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
    const file = join(folder, 'sources.yaml');
    writeFileSync(
      file,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax for variables in the file
      'sources:\n  - { name: a, match: "http://a.test/*", headers: { K: "${NO_KEY}" }, x: 1 }\n',
    );
    const { code, stderr } = await run(part, { SOURCES_FILE: file });
    rmSync(folder, { recursive: true });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'bad configuration:',
      `  ${file}: sources[0].headers.K: the environment variable NO_KEY is not set, or empty`,
      `  ${file}: sources[0].x: unknown key`,
    ]);
    const missing = await run(part, { SOURCES_FILE: '/nowhere/sources.yaml' });
    expect(missing.stderr).toContain('SOURCES_FILE: "/nowhere/sources.yaml" cannot be read');
  });

  it('never shows a password', async () => {
    const env = { REDIS_URL: 'http://user:hunter2@redis:6379' };
    for (const { stderr } of await Promise.all(PARTS.map((part) => run(part, env)))) {
      expect(stderr).toContain('REDIS_URL');
      expect(stderr).not.toContain('hunter2');
    }
  });
});

describe('a port that is in use', () => {
  it('ends the process with code 1 and one sentence on stderr that says what to do', async () => {
    const port = String(await startServer((socket) => socket.destroy()));
    const cases = [
      ['api', { PORT: port }],
      ['api', { OPS_PORT: port }],
      ['worker', { OPS_PORT: port }],
    ] as const;
    const ends = await Promise.all(cases.map(([part, env]) => run(part, env)));
    for (const [n, { code, stderr }] of ends.entries()) {
      expect(code).toBe(1);
      expect(stderr).toBe(
        `${cases[n]?.[0]}: port ${port} on 127.0.0.1 is in use; stop the process that uses it, or set another port\n`,
      );
    }
  });
});

describe('SIGTERM', () => {
  it.each(PARTS)(
    'during startup of the %s ends it with code 0 within its grace period',
    async (part) => {
      // A Redis that accepts connections but never replies keeps startup waiting.
      const endAfter = async (afterMs: number) => {
        const connected = Promise.withResolvers<void>();
        const port = await startServer(() => connected.resolve());
        const { child, ended } = start(part, { REDIS_URL: `redis://127.0.0.1:${port}` });
        await connected.promise;
        await sleep(afterMs); // the moment of the signal
        child.kill('SIGTERM');
        return await ended;
      };
      const startedMs = performance.now();
      const ends = await Promise.all([0, 20, 200].map(endAfter));
      for (const { code, signal, stderr } of ends) {
        expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      }
      expect(performance.now() - startedMs).toBeLessThan(20_000);
    },
  );

  it.each(PARTS)(
    'ends the %s with code 0 without Redis; a second one ends it at once, with code 1',
    async (part) => {
      const env = { REDIS_URL: 'redis://127.0.0.1:1' };
      const signalOnce = async () => {
        const { child, ended } = await startAndListen(part, env);
        const sentMs = performance.now();
        child.kill('SIGTERM');
        expect((await ended).code).toBe(0);
        expect(performance.now() - sentMs).toBeLessThan(20_000);
      };
      const signalTwice = async (triesLeft = 4): Promise<void> => {
        const { child, ended, logged } = await startAndListen(part, env);
        child.kill('SIGTERM');
        await logged('closing');
        const sentMs = performance.now();
        child.kill('SIGTERM');
        const { code } = await ended;
        // It may have exited before the second signal arrived.
        if (code === 0 && triesLeft > 0) return await signalTwice(triesLeft - 1);
        expect(code).toBe(1);
        expect(performance.now() - sentMs).toBeLessThan(10_000);
      };
      await Promise.all([signalOnce(), signalTwice()]);
    },
  );
});

/** Starts a process with exactly this environment, on free loopback ports. */
function start(part: Part, env: Record<string, string>) {
  const { PATH = '' } = process.env;
  const free = {
    PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
  };
  const child = spawn(process.execPath, [join(REPO, part, 'src/main.ts')], {
    env: { ...free, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr }),
  );
  return { child, ended };
}

async function run(part: Part, env: Record<string, string>) {
  return await start(part, env).ended;
}

/** Starts a process and waits until it listens. */
async function startAndListen(part: Part, env: Record<string, string>) {
  const { child, ended } = start(part, env);
  let stdout = '';
  const logged = (message: string) =>
    new Promise<void>((resolve) => {
      const check = () => stdout.includes(`"msg":"${message}"`) && resolve();
      child.stdout.on('data', check);
      check();
    });
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  await logged('listening');
  return { child, ended, logged };
}

/** Starts a server on a free loopback port. Returns the port. */
async function startServer(onConnection: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.add(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as { port: number }).port;
}
