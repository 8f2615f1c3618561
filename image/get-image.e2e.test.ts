import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Returns what `get-image` prints about an api; throws when it exits with another code than 0. */
async function getImage(path: string, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    const script = join(import.meta.dirname, 'get-image.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, url]);
    return stdout;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('an image is reported with its size', async () => {
  const said = await getImage('/images', (_, response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end('12345');
  });
  expect(said).toMatch(/\/images: 200, image\/jpeg, 5 bytes\n$/);
}, 30_000);

it('a fleet that may not call cameras yet is asked again after Retry-After', async () => {
  let asked = 0;
  const said = await getImage('/images', (_, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503, { 'retry-after': '0' }).end('held off');
    else response.writeHead(200, { 'content-type': 'image/png' }).end('1');
  });
  expect(said).toMatch(/not yet, held off\n.*200, image\/png/);
}, 30_000);

it('an error, or a response that is not an image, ends it with code 1', async () => {
  const refused = getImage('/images', (_, response) => response.writeHead(403).end());
  await expect(refused).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('403') });
  const page = getImage('/images', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end();
  });
  await expect(page).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('text/html'),
  });
}, 30_000);

it('without a camera, the OpenAPI document is enough', async () => {
  const said = await getImage('/openapi.json', (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  expect(said).toContain('200, application/json');
}, 30_000);
