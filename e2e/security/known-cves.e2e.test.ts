import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { image } from '../../worker/src/test-support/images.ts';
import { ask } from './ask.ts';
import { type Canaries, startCanaries } from './canaries.ts';
import { httpAnswer, type RawCamera, startRawCamera } from './raw-camera.ts';

/**
 * Known faults of services like ours, each tried on us. CVE-2026-94483 (rebinding) is in
 * worker/src/camera-call/rebinding.test.ts, those of address libraries in worker/src/camera-call/known-cves.test.ts.
 */
let camera: RawCamera;
let canaries: Canaries;
let fleet: Fleet;

beforeAll(async () => {
  canaries = await startCanaries();
  camera = await startRawCamera('127.0.0.2');
  fleet = await startFleet({
    intervalMs: 60_000,
    env: { ALLOWED_SOURCES: 'http://*:*/*', ALLOWED_NETWORKS: '127.0.0.2/32' },
  });
});

afterEach(() => expect(canaries.reached).toEqual({ ipv4: 0, ipv6: 0 }));

afterAll(async () => {
  await fleet?.stop();
  await camera?.close();
  await canaries?.close();
});

const get = (target: string, ...headers: string[]) =>
  ask(fleet.apis[0]?.url ?? '', target, headers);
const view = (url: string, ...headers: string[]) =>
  get(`/images?url=${encodeURIComponent(url)}`, ...headers);

describe('CVE-2023-1496 (imgproxy): an SVG that is served runs its script', () => {
  it.each(['image/svg+xml', 'image/png', 'text/html'])(
    'none is served, not as %s',
    async (type) => {
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';
      const url = camera.answer(`/svg/${type}`, httpAnswer(svg, [`Content-Type: ${type}`]));
      const { status, body } = await view(url);
      expect(status).toBe(502);
      expect(body).not.toContain('onload');
    },
  );
});

describe('CVE-2023-30019 (imgproxy): the image’s URL leads into the private network', () => {
  it.each(['http://127.0.0.1:{p}/', 'http://localhost:{p}/', 'http://[::1]:{p}/'])(
    '%s is refused although its source is allowed',
    async (url) => {
      expect((await view(url.replace('{p}', String(canaries.port)))).status).toBe(403);
    },
  );
});

describe('CVE-2025-24354 (imgproxy): 0.0.0.0 is not taken for loopback', () => {
  it.each([
    'http://0.0.0.0:{p}/',
    'http://0:{p}/',
    'http://[::]:{p}/',
    'http://[::ffff:0.0.0.0]:{p}/',
  ])('%s is refused', async (url) => {
    expect((await view(url.replace('{p}', String(canaries.port)))).status).toBe(403);
  });
});

describe('CVE-2024-34351 (Next.js): the Host header decides what the server calls', () => {
  it.each(['/image', '//127.0.0.1/image', 'image', './image'])(
    'a relative url %s leads nowhere',
    async (url) => {
      const port = canaries.port;
      const { status } = await view(
        url,
        `X-Forwarded-Host: 127.0.0.1:${port}`,
        `Origin: http://127.0.0.1:${port}`,
      );
      expect(status).toBe(400);
    },
  );

  it('nor does a request in absolute form, or with a second Host', async () => {
    const here = `http://127.0.0.1:${canaries.port}`;
    expect((await get(`${here}/images?url=/image`)).status).toBeGreaterThanOrEqual(400);
    expect((await get('/images?url=/image', `Host: 127.0.0.1:${canaries.port}`)).status).toBe(400);
  });

  it('and the camera is called by the name in its URL', async () => {
    const url = camera.answer('/host', httpAnswer(image('jpeg')));
    expect((await view(url, 'X-Forwarded-Host: evil.test')).status).toBe(200);
    expect(camera.received.get('/host')).toContain(`Host: 127.0.0.2:${camera.port}\r\n`);
  });
});

describe('CVE-2025-55173 (Next.js): the source decides on a download and its name', () => {
  it('what is no image is not passed on, whatever it is called', async () => {
    const headers = [
      'Content-Type: image/jpeg',
      'Content-Disposition: attachment; filename="x.exe"',
    ];
    const url = camera.answer('/x.exe', httpAnswer('MZ\x90\0 this is a program', headers));
    const { status, head } = await view(url);
    expect(status).toBe(502);
    expect(head).not.toMatch(/disposition|x\.exe/i);
  });

  it('what is one has our type and no file name', async () => {
    const headers = [
      'Content-Type: application/x-msdownload',
      'Content-Disposition: attachment; filename="y.exe"',
    ];
    const url = camera.answer('/y.exe', httpAnswer(image('jpeg'), headers));
    const { status, head } = await view(url);
    expect(status).toBe(200);
    expect(head).toMatch(/^content-type: image\/jpeg\r?$/im);
    expect(head).not.toMatch(/disposition|y\.exe|msdownload/i);
  });
});

describe('CVE-2025-57752 (Next.js): what one viewer may see is kept for all', () => {
  it('no camera is asked as one viewer, so that no frame is one viewer’s own', async () => {
    const url = camera.answer('/private', (socket) => {
      const asked = camera.received.get('/private') ?? '';
      const knows = /^(cookie|authorization):/im.test(asked);
      socket.end(knows ? httpAnswer(image('png')) : httpAnswer(image('jpeg'), ['Vary: Cookie']));
    });
    const member = await view(url, 'Cookie: session=1', 'Authorization: Bearer 1');
    const guest = await view(url);
    expect(member.head).toMatch(/^content-type: image\/jpeg\r?$/im);
    expect(guest.body).toBe(member.body);
  });

  it('two cameras are never one, however alike their URLs are', async () => {
    const one = camera.answer('/key', httpAnswer(image('jpeg')));
    const urls = [one, `${one}?a=1`, `${one}?a=1&b=2`, `${one}?b=2&a=1`, `${one}/`, `${one}%2F`];
    const statuses = await Promise.all(urls.map(async (url) => (await view(url)).status));
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(statuses.slice(4)).toEqual([502, 502]);
    expect([...camera.received.keys()]).toEqual(
      expect.arrayContaining(['/key', '/key/', '/key%2F']),
    );
  });
});
