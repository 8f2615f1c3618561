import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

it('has defaults for everything', () => {
  expect(readConfig({})).toEqual({
    ok: true,
    config: { host: '0.0.0.0', port: 8888, delayMs: 5000, logLevel: 'info' },
  });
});

it('reads set variables and uses the defaults for empty ones', () => {
  expect(readConfig({ HOST: '::1', PORT: '0', DELAY: '250ms', LOG_LEVEL: '' })).toEqual({
    ok: true,
    config: { host: '::1', port: 0, delayMs: 250, logLevel: 'info' },
  });
});

it('lists every fault with its variable, its value and what is expected', () => {
  const outcome = readConfig({ HOST: 'a b', PORT: '65536', DELAY: '5', LOG_LEVEL: 'loud' });
  expect(outcome).toEqual({
    ok: false,
    faults: [
      'HOST is "a b", expected an address or host name to listen on',
      'PORT is "65536", expected a port from 0 to 65535 (0 picks a free one)',
      'DELAY is "5", expected a duration like 500ms, 5s or 1m, at most 24h',
      'LOG_LEVEL is "loud", expected one of fatal, error, warn, info, debug, trace, silent',
    ],
  });
});
