import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../testing/fleet/child.ts';
import { pinToCore, SERVER_CORE } from './cores.ts';
import type { Peer } from './peers.ts';

/** Starts a bare `node:net` server that replays the api's response to this request. */
export async function startBareServer(
  apiUrl: string,
  path: string,
  headers: Record<string, string>,
): Promise<Peer> {
  const dir = mkdtempSync(join(tmpdir(), 'lastframe-bare-'));
  const file = join(dir, 'answer');
  writeFileSync(file, await rawAnswer(apiUrl, path, headers));
  const child = await startChild(join(import.meta.dirname, 'bare-server.ts'), {
    ANSWER_FILE: file,
  });
  pinToCore(child.pid, SERVER_CORE);
  return {
    url: `http://127.0.0.1:${child.listening.port}`,
    pid: child.pid,
    stop: async () => {
      await child.end();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Reads until the response is complete by its Content-Length; a 304 is complete after its head. */
async function rawAnswer(apiUrl: string, path: string, headers: Record<string, string>) {
  const { hostname, port } = new URL(apiUrl);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`);
  let answer = Buffer.alloc(0);
  while (answer.length < wholeLength(answer)) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    answer = Buffer.concat([answer, data]);
  }
  socket.destroy();
  return answer;
}

function wholeLength(answer: Buffer): number {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return Number.POSITIVE_INFINITY;
  const head = answer.toString('latin1', 0, headEnd);
  return headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
}
