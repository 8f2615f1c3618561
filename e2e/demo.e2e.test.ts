import { execFile } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandsOf, snippetsOf } from '../scripts/snippets/markdown.ts';
import { isFree } from '../scripts/up/free-port.ts';
import { checkCalls, type Pause, type UpstreamCall } from '../testing/checks/checker.ts';
import { type Demo, startDemo } from '../testing/fleet/demo.ts';

const INTERVAL_MS = 5000; // the default
const root = join(import.meta.dirname, '..');
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })];
const snippets = pages.flatMap((page) => snippetsOf(page, readFileSync(join(root, page), 'utf8')));
const readmeSnippets = snippets.filter(({ file }) => file === 'README.md');
const [sources] = readmeSnippets.filter(({ language }) => language === 'yaml');
const curls = snippets
  .filter(({ language }) => language === 'sh')
  .flatMap(commandsOf)
  .filter((command) => command.startsWith('curl ') && command.includes('localhost:8088'))
  // Not the one for k3s, where the camera has another name; the chart's tests cover it.
  .filter((command) => !command.includes('image-server'));

let demo: Demo;

beforeAll(async () => {
  demo = await startDemo((folder, ports) => {
    writeFileSync(join(folder, 'sources.yaml'), forDemo(sources?.text ?? '', ports));
    return { DELAY: '300ms', CAM_TOKEN: 'secret', SOURCES_FILE: 'sources.yaml' };
  });
});

afterAll(async () => {
  await demo?.interrupt();
  demo?.remove();
});

it('`make up` prints the curl command of the README, which returns the headers shown there', async () => {
  const [command = ''] = curls;
  expect(demo.output()).toContain(forDemo(command));
  const [shown = ''] = readmeSnippets
    .filter(({ text }) => text.startsWith('HTTP/1.1 200'))
    .map(({ text }) => text);
  const { status, headers } = await run(command);
  expect(status).toBe(shown.split('\n')[0]);
  const names = shown
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(':')[0]);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !headers.has(name ?? ''))).toEqual([]);
  expect(headers.get('content-type')).toBe('image/jpeg');
});

it.each([...new Set(curls)])('`%s` from the docs works on the demo', async (command) => {
  expect((await run(command)).status).toMatch(/^HTTP\/1\.1 20[0-2]/);
});

it('calls every camera at most once per interval; Ctrl-C leaves no process and no open port', async () => {
  const slow = `http://localhost:${demo.ports.slow}`;
  const calls = (await (await fetch(`${slow}/calls`)).json()) as UpstreamCall[];
  const pauses = (await (await fetch(`${slow}/pauses`)).json()) as Pause[];
  expect(calls.length).toBeGreaterThan(1);
  expect(checkCalls(calls, INTERVAL_MS, pauses).breaches).toEqual([]);
  expect(await demo.interrupt()).toBe(0);
  for (const port of [demo.ports.api, demo.ports.slow, demo.ports.ops]) {
    expect(await isFree(port)).toBe(true);
  }
});

/** Replaces the ports and camera in the docs by the demo's. */
function forDemo(text: string, { api, slow, ops } = demo.ports): string {
  return text
    .replaceAll('https://cams.example.com/', `http://localhost:${slow}/image/`)
    .replaceAll('localhost:8088', `localhost:${api}`)
    .replaceAll('localhost:8888', `localhost:${slow}`)
    .replaceAll('localhost:9089', `localhost:${ops}`);
}

/** Runs a command line and parses the response head that `curl -i` prints. */
async function run(command: string): Promise<{ status: string; headers: Map<string, string> }> {
  const { stdout } = await promisify(execFile)('sh', ['-c', forDemo(command)], {
    encoding: 'latin1',
  });
  const [status = '', ...lines] = (stdout.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const pairs = lines.map((line) => line.split(/: (.*)/) as [string, string]);
  return { status, headers: new Map(pairs.map(([name, value]) => [name.toLowerCase(), value])) };
}
