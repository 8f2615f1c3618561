import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { image } from '../../worker/src/test-support/images.ts';
import { sendRawRequest } from './ask.ts';
import { type Canaries, startCanaries } from './canaries.ts';
import { httpResponse, type RawCamera, startRawCamera } from './raw-camera.ts';

/**
 * Known vulnerabilities of similar services, tried on Lastframe. In worker/src/camera-call,
 * rebinding.test.ts covers CVE-2026-94483, and known-cves.test.ts those of address libraries.
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

afterEach(() => expect(canaries.connections).toEqual({ ipv4: 0, ipv6: 0 }));

afterAll(async () => {
  await fleet?.stop();
  await camera?.close();
  await canaries?.close();
});

const get = (target: string, ...headers: string[]) =>
  sendRawRequest(fleet.apis[0]?.url ?? '', target, headers);
const view = (url: string, ...headers: string[]) =>
  get(`/images?url=${encodeURIComponent(url)}`, ...headers);

describe('CVE-2023-1496 (imgproxy): a served SVG runs its script', () => {
  it.each(['image/svg+xml', 'image/png', 'text/html'])(
    'an SVG declared as %s is not served',
    async (type) => {
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';
      const url = camera.respondWith(`/svg/${type}`, httpResponse(svg, [`Content-Type: ${type}`]));
      const { status, body } = await view(url);
      expect(status).toBe(502);
      expect(body).not.toContain('onload');
    },
  );
});

describe('CVE-2023-30019 (imgproxy): an image URL leads into the private network', () => {
  it.each(['http://127.0.0.1:{p}/', 'http://localhost:{p}/', 'http://[::1]:{p}/'])(
    '%s is rejected although its source is allowed',
    async (url) => {
      expect((await view(url.replace('{p}', String(canaries.port)))).status).toBe(403);
    },
  );
});

describe('CVE-2025-24354 (imgproxy): 0.0.0.0 is not recognised as loopback', () => {
  it.each([
    'http://0.0.0.0:{p}/',
    'http://0:{p}/',
    'http://[::]:{p}/',
    'http://[::ffff:0.0.0.0]:{p}/',
  ])('%s is rejected', async (url) => {
    expect((await view(url.replace('{p}', String(canaries.port)))).status).toBe(403);
  });
});

describe('CVE-2024-34351 (Next.js): the Host header decides what the server calls', () => {
  it.each(['/image', '//127.0.0.1/image', 'image', './image'])(
    'the relative url %s is rejected',
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

  it('a request in absolute form, or with a second Host, is rejected', async () => {
    const here = `http://127.0.0.1:${canaries.port}`;
    expect((await get(`${here}/images?url=/image`)).status).toBeGreaterThanOrEqual(400);
    expect((await get('/images?url=/image', `Host: 127.0.0.1:${canaries.port}`)).status).toBe(400);
  });

  it('the camera gets the Host of its own URL', async () => {
    const url = camera.respondWith('/host', httpResponse(image('jpeg')));
    expect((await view(url, 'X-Forwarded-Host: evil.test')).status).toBe(200);
    expect(camera.requests.get('/host')).toContain(`Host: 127.0.0.2:${camera.port}\r\n`);
  });
});

describe('CVE-2025-55173 (Next.js): the source forces a download and its file name', () => {
  it('a program declared as an image is not passed on', async () => {
    const headers = [
      'Content-Type: image/jpeg',
      'Content-Disposition: attachment; filename="x.exe"',
    ];
    const url = camera.respondWith('/x.exe', httpResponse('MZ\x90\0 this is a program', headers));
    const { status, head } = await view(url);
    expect(status).toBe(502);
    expect(head).not.toMatch(/disposition|x\.exe/i);
  });

  it('an image declared as a program gets its real type and no file name', async () => {
    const headers = [
      'Content-Type: application/x-msdownload',
      'Content-Disposition: attachment; filename="y.exe"',
    ];
    const url = camera.respondWith('/y.exe', httpResponse(image('jpeg'), headers));
    const { status, head } = await view(url);
    expect(status).toBe(200);
    expect(head).toMatch(/^content-type: image\/jpeg\r?$/im);
    expect(head).not.toMatch(/disposition|y\.exe|msdownload/i);
  });
});

describe('CVE-2025-57752 (Next.js): what only one viewer may see is cached for all', () => {
  it('no viewer’s credentials reach a camera, so that no frame is private', async () => {
    const url = camera.respondWith('/private', (socket) => {
      const request = camera.requests.get('/private') ?? '';
      const isMember = /^(cookie|authorization):/im.test(request);
      socket.end(
        isMember ? httpResponse(image('png')) : httpResponse(image('jpeg'), ['Vary: Cookie']),
      );
    });
    const member = await view(url, 'Cookie: session=1', 'Authorization: Bearer 1');
    const guest = await view(url);
    expect(member.head).toMatch(/^content-type: image\/jpeg\r?$/im);
    expect(guest.body).toBe(member.body);
  });

  it('cameras with similar URLs are never mixed up', async () => {
    const one = camera.respondWith('/key', httpResponse(image('jpeg')));
    const urls = [one, `${one}?a=1`, `${one}?a=1&b=2`, `${one}?b=2&a=1`, `${one}/`, `${one}%2F`];
    const statuses = await Promise.all(urls.map(async (url) => (await view(url)).status));
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(statuses.slice(4)).toEqual([502, 502]);
    expect([...camera.requests.keys()]).toEqual(
      expect.arrayContaining(['/key', '/key/', '/key%2F']),
    );
  });
});
