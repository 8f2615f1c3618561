import { expect, test } from 'vitest';
import { redisLaunch } from './redis-program.ts';

const durable = '--appendonly yes --appendfsync always --save  --maxmemory-policy noeviction';

test('an installed server listens on loopback only and persists every write', () => {
  const launch = redisLaunch({ by: 'server', command: '/usr/bin/valkey-server' }, '/data', 16379);
  expect(launch.command).toBe('/usr/bin/valkey-server');
  expect(launch.args.join(' ')).toContain('--bind 127.0.0.1 --port 16379 --dir /data');
  expect(launch.args.join(' ')).toContain(durable);
});

test('a container is published on loopback only and stores its data in the folder', () => {
  const { command, args } = redisLaunch({ by: 'docker' }, '/data/redis', 16379);
  expect(command).toBe('docker');
  expect(args.join(' ')).toContain('-p 127.0.0.1:16379:6379 -v /data/redis:/data redis:7');
  expect(args.join(' ')).toContain(durable);
});
