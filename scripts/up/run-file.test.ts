import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processBirth } from './process-birth.ts';
import { claimRun } from './run-file.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastframe-run-'));
  path = join(folder, 'sub', 'up.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a process that runs until it is killed. */
function sleeper() {
  const args = ['-e', 'setInterval(() => {}, 1000)'];
  const child = spawn(process.execPath, args, { stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  return { pid: child.pid ?? 0, ended, kill: () => child.kill('SIGKILL') };
}

/** Simulates that the `make up` that wrote the file was killed. */
function simulateKilledUp() {
  const [up, ...parts] = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify([{ ...up, birth: 'earlier' }, ...parts]));
}

test('a folder is taken while the process that claimed it runs', async () => {
  const file = await claimRun(path, () => {});
  await expect(claimRun(path, () => {})).rejects.toThrow(`(process ${process.pid})`);
  file.remove();
  expect(existsSync(path)).toBe(false);
});

test('processes left by a killed run are ended', async () => {
  const left = sleeper();
  (await claimRun(path, () => {})).record('worker', left.pid);
  simulateKilledUp();
  const seen: string[] = [];
  await claimRun(path, (kinds) => seen.push(...kinds));
  expect(seen).toEqual(['worker']);
  expect(await left.ended).toEqual([null, 'SIGTERM']);
});

test('an unrelated process that reuses an earlier pid is left alone', async () => {
  const stranger = sleeper();
  (await claimRun(path, () => {})).record('api', stranger.pid);
  simulateKilledUp();
  const run = JSON.parse(readFileSync(path, 'utf8'));
  run[1].birth = 'earlier';
  writeFileSync(path, JSON.stringify(run));
  await claimRun(path, () => {});
  expect(processBirth(stranger.pid)).toBeDefined();
  stranger.kill();
  await stranger.ended;
});

test('an invalid file is overwritten', async () => {
  const file = await claimRun(path, () => {});
  writeFileSync(path, '{"up":');
  await claimRun(path, () => {});
  file.remove();
});
