import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { expectCleanEnd } from '../../testing/checks/recovery.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { freePort, startRedis } from '../../testing/redis/redis-server.ts';
import { createAuthority, signedBy } from '../../worker/src/test-support/certificate.ts';

let fleet: Fleet;

afterEach(async () => {
  await fleet?.checkAndStop();
});

it('connects by mutual TLS to a Redis whose certificate a private authority signed', async () => {
  const { files, port } = await tlsRedis();
  const env = { REDIS_CA_FILE: files.ca, REDIS_CERT_FILE: files.cert, REDIS_KEY_FILE: files.key };
  const redisUrl = `rediss://localhost:${port}`;
  fleet = await startFleet({ redisUrl, env });
  await expectOneFrame();

  const stranger = await fleet.startApi({
    REDIS_CA_FILE: '',
    REDIS_CERT_FILE: '',
    REDIS_KEY_FILE: '',
  });
  const { reason } = await stranger.waitForLog('redis cannot be reached');
  expect(reason).toMatch(/self-signed certificate|unable to verify|unable to get/);
  await expectCleanEnd(fleet);
});

async function expectOneFrame(): Promise<void> {
  const camera = fleet.slow.camera('one');
  const status = async () => (await fleet.apis[0]?.image(camera))?.status;
  await expect.poll(status, { timeout: 60_000 }).toBe(200);
}

/** Starts a Redis with a TLS port that requires a certificate signed by the test's authority. */
async function tlsRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'lastframe-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const authority = createAuthority('Lastframe test authority');
  const [server, client] = ['localhost', 'lastframe'].map((name) => signedBy(authority, name));
  const contents = { ca: authority.cert, cert: client?.cert, key: client?.key };
  const write = async (name: string, text = '') => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    ca: await write('ca', contents.ca),
    cert: await write('cert', contents.cert),
    key: await write('key', contents.key),
  };
  const port = await freePort();
  const args = [
    ...['--tls-port', String(port), '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'],
    ...['--tls-cert-file', await write('server-cert', server?.cert)],
    ...['--tls-key-file', await write('server-key', server?.key)],
  ];
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  return { files, port };
}
