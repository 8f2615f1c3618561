import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** What `get-image` says of an api that answers so; throws when it ends with another code than 0. */
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

it('an image is told of with its size', async () => {
  const said = await getImage('/images', (_, response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end('12345');
  });
  expect(said).toMatch(/\/images: 200, image\/jpeg, 5 bytes\n$/);
}, 30_000);

it('a fleet that may not call yet is asked again when it says', async () => {
  let asked = 0;
  const said = await getImage('/images', (_, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503, { 'retry-after': '0' }).end('held off');
    else response.writeHead(200, { 'content-type': 'image/png' }).end('1');
  });
  expect(said).toMatch(/not yet, held off\n.*200, image\/png/);
}, 30_000);

it('an error, and what is no image, end it with code 1', async () => {
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

it('where there is no camera, what the api says of itself will do', async () => {
  const said = await getImage('/openapi.json', (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  expect(said).toContain('200, application/json');
}, 30_000);
