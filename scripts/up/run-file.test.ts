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
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  return { pid: child.pid ?? 0, ended, kill: () => child.kill('SIGKILL') };
}

async function claimed(onLeftovers: (kinds: readonly string[]) => void = () => {}) {
  const claim = await claimRun(path, onLeftovers);
  if (claim.outcome !== 'claimed') throw new Error('taken');
  return claim.file;
}

/** Simulates that the `make up` that wrote the file was killed. */
function simulateKilledUp() {
  const run = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...run, up: { pid: process.pid, birth: 'earlier' } }));
}

test('a folder is taken while the process that claimed it runs', async () => {
  const file = await claimed();
  expect(await claimRun(path, () => {})).toEqual({ outcome: 'taken', pid: process.pid });
  file.remove();
  expect(existsSync(path)).toBe(false);
});

test('processes left by a killed run are ended', async () => {
  const left = sleeper();
  (await claimed()).recordPart('worker', left.pid);
  simulateKilledUp();
  const seen: string[] = [];
  await claimed((kinds) => seen.push(...kinds));
  expect(seen).toEqual(['worker']);
  expect(await left.ended).toEqual([null, 'SIGTERM']);
});

test('an unrelated process that reuses an earlier pid is left alone', async () => {
  const stranger = sleeper();
  (await claimed()).recordPart('api', stranger.pid);
  simulateKilledUp();
  const run = JSON.parse(readFileSync(path, 'utf8'));
  run.parts[0].birth = 'earlier';
  writeFileSync(path, JSON.stringify(run));
  await claimed();
  expect(processBirth(stranger.pid)).toBeDefined();
  stranger.kill();
  await stranger.ended;
});

test('an invalid file is overwritten', async () => {
  const file = await claimed();
  writeFileSync(path, '{"up":');
  await claimed();
  file.remove();
});
