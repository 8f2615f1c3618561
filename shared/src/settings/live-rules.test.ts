import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { sourcesFromPatterns } from '../cameras/source.ts';
import { createLog } from '../process/log.ts';
import { ConfigError } from './config.ts';
import { openRules } from './live-rules.ts';

const yaml = (interval: string) =>
  `sources:\n  - { name: a, match: "http://cam.test/*", interval: ${interval} }\n`;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lastframe-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function open(sourcesFile: string) {
  const log = createLog('test', 'silent');
  const error = vi.spyOn(log, 'error');
  const sources = sourcesFromPatterns(['http://cam.test/*'], testDefaults);
  const config = { sources, sourcesFile, sourceDefaults: testDefaults };
  const rules = openRules({ config, env: {}, log });
  onTestFinished(() => rules.close());
  return { ...rules, error, intervals: () => rules.now().sources.map((s) => s.intervalMs) };
}

/** File events still arrive. */
function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
}

it('without a file the sources are those of ALLOWED_SOURCES, and a reload does nothing', () => {
  const rules = open('');
  rules.reload();
  expect(rules.intervals()).toEqual([5000]);
});

it('the sources of the file come before those of ALLOWED_SOURCES', () => {
  const file = join(folder(), 'sources.yaml');
  writeFileSync(file, yaml('1s'));
  expect(open(file).intervals()).toEqual([1000, 5000]);
});

it('a missing or faulty file prevents startup', () => {
  const file = join(folder(), 'sources.yaml');
  expect(() => open(file)).toThrow(ConfigError);
  expect(() => open(file)).toThrow(`SOURCES_FILE: "${file}" cannot be read`);
  writeFileSync(file, yaml('5'));
  expect(() => open(file)).toThrow(`${file}: sources[0].interval: "5" is not valid`);
});

it('a changed file is reloaded, and listeners are notified', async () => {
  const file = join(folder(), 'sources.yaml');
  writeFileSync(file, yaml('1s'));
  const rules = open(file);
  const listener = vi.fn();
  rules.onChange(listener);
  writeFileSync(file, yaml('2s'));
  await expect.poll(rules.intervals, { timeout: 4000 }).toEqual([2000, 5000]);
  expect(listener).toHaveBeenCalledWith(rules.now());
});

it('swapped links, as Kubernetes uses for a ConfigMap, are followed', async () => {
  const root = folder();
  for (const [version, interval] of [
    ['..1', '1s'],
    ['..2', '2s'],
  ] as const) {
    mkdirSync(join(root, version));
    writeFileSync(join(root, version, 'sources.yaml'), yaml(interval));
  }
  symlinkSync('..1', join(root, '..data'));
  symlinkSync('..data/sources.yaml', join(root, 'sources.yaml'));
  const rules = open(join(root, 'sources.yaml'));
  symlinkSync('..2', join(root, '..new'));
  renameSync(join(root, '..new'), join(root, '..data'));
  await expect.poll(rules.intervals, { timeout: 4000 }).toEqual([2000, 5000]);
});

it('neighbouring files that change all the time do not delay a change', async () => {
  const root = folder();
  const file = join(root, 'sources.yaml');
  writeFileSync(file, yaml('1s'));
  fakeTimers();
  const rules = open(file);
  writeFileSync(file, yaml('2s'));
  for (let passedMs = 0; passedMs < 5500; passedMs += 100) {
    writeFileSync(join(root, 'other.log'), `${passedMs}`);
    await new Promise((resolve) => setImmediate(resolve)); // lets its event arrive
    vi.advanceTimersByTime(100);
  }
  expect(rules.intervals()).toEqual([2000, 5000]);
});

it('a missing file is logged once each time it disappears', () => {
  const file = join(folder(), 'sources.yaml');
  writeFileSync(file, yaml('1s'));
  fakeTimers();
  const rules = open(file);
  for (const times of [1, 2]) {
    rmSync(file);
    vi.advanceTimersByTime(60_000);
    expect(rules.error).toHaveBeenCalledTimes(times);
    writeFileSync(file, yaml('1s'));
    vi.advanceTimersByTime(10_000);
  }
  expect(rules.intervals()).toEqual([1000, 5000]);
});

it('a faulty new file is rejected, its faults are logged once, and the old rules stay in force', async () => {
  const file = join(folder(), 'sources.yaml');
  writeFileSync(file, yaml('1s'));
  const rules = open(file);
  writeFileSync(file, `${yaml('5')}colour: blue\n`);
  await expect.poll(() => rules.error.mock.calls.length, { timeout: 4000 }).toBe(1);
  expect(rules.error.mock.calls[0]?.[0]).toEqual({
    faults: [expect.stringContaining('colour'), expect.stringContaining('interval')],
  });
  expect(rules.intervals()).toEqual([1000, 5000]);
  rules.reload();
  rmSync(file);
  rules.reload();
  expect(rules.error).toHaveBeenCalledTimes(3);
  writeFileSync(file, yaml('3s'));
  rules.reload();
  expect(rules.intervals()).toEqual([3000, 5000]);
});
