import { expect, test } from 'vitest';
import { readLoadSettings } from './settings.ts';

test('by default the load is that of the first try', () => {
  expect(readLoadSettings({})).toEqual({
    url: 'http://localhost:8088/images?url=http%3A%2F%2Flocalhost%3A8888%2Fimage',
    cameraUrl: 'http://localhost:8888/image',
    callsUrl: 'http://localhost:8888/calls',
    durationMs: 10_000,
    connections: 100,
  });
});

test('every invalid setting is listed', () => {
  expect(() => readLoadSettings({ DURATION: '3', CONNECTIONS: '0' })).toThrow(
    'DURATION is "3", expected a duration like 500ms, 5s, 10m or 24h\n' +
      'CONNECTIONS is "0", expected a number from 1 to 10000',
  );
});
