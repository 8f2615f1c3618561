import { expect, test } from 'vitest';
import { redisArgs } from './redis-program.ts';

const durable = '--appendonly yes --appendfsync always --save  --maxmemory-policy noeviction';

test('an installed server listens on loopback only and persists every write', () => {
  const args = redisArgs('valkey-server', '/data', 16379).join(' ');
  expect(args).toContain('--bind 127.0.0.1 --port 16379 --dir /data');
  expect(args).toContain(durable);
});

test('a container is published on loopback only and stores its data in the folder', () => {
  const args = redisArgs('docker', '/data/redis', 16379).join(' ');
  expect(args).toContain('-p 127.0.0.1:16379:6379 -v /data/redis:/data redis:7');
  expect(args).toContain(durable);
});
