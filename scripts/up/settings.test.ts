import { expect, test } from 'vitest';
import { neededPorts, portInUse, readSettings } from './settings.ts';

const settingsOf = (env: Record<string, string>) => readSettings(env, 'linux');

test('by default three api processes share 8088 and have their own ops ports', () => {
  expect(settingsOf({})).toEqual({
    apiPort: 8088,
    apiOpsPorts: [9088, 9087, 9086],
    reusePort: true,
    slowPort: 8888,
    workerOpsPort: 9089,
    redisUrl: undefined,
  });
});

test('one api process runs where a port cannot be shared', () => {
  expect(readSettings({}, 'darwin')).toMatchObject({ apiOpsPorts: [9088], reusePort: false });
});

test('an empty variable counts as unset', () => {
  expect(settingsOf({ PORT: '', REDIS_URL: ' ' })).toEqual(settingsOf({}));
});

test('every invalid setting is listed', () => {
  expect(() => settingsOf({ PORT: '80880', SLOW_PORT: 'x', OPS_PORT: '0' })).toThrow(
    'OPS_PORT is "0", expected a port from 4 to 65535\n' +
      'PORT is "80880", expected a port from 1 to 65535\n' +
      'SLOW_PORT is "x", expected a port from 1 to 65535',
  );
});

test('a port in use is reported with a way around it', () => {
  const [api, slow, , , probes] = neededPorts(settingsOf({ SLOW_PORT: '65000' }));
  expect(api && portInUse(api)).toBe(
    'Port 8088, for the api, is in use: stop the process that uses it, or choose another port, e.g. PORT=9088 make up',
  );
  expect(slow && portInUse(slow)).toContain('SLOW_PORT=64000 make up');
  expect(probes && portInUse(probes)).toMatch(/^Port 9087, .*OPS_PORT=10089 make up$/);
});
