import { expect, test } from 'vitest';
import { healthUrl } from './health-url.ts';

const commandOf = (part: string) => ['node', 'image/main.ts', part];

test.each([
  ['api', {}, 'http://127.0.0.1:9088/readyz'],
  ['worker', {}, 'http://127.0.0.1:9089/readyz'],
  ['slow-server', {}, 'http://127.0.0.1:8888/livez'],
  ['api', { OPS_HOST: '0.0.0.0', OPS_PORT: '9086' }, 'http://127.0.0.1:9086/readyz'],
  ['worker', { OPS_HOST: '::', OPS_PORT: '' }, 'http://[::1]:9089/readyz'],
  ['worker', { OPS_HOST: 'fd00::7' }, 'http://[fd00::7]:9089/readyz'],
  ['slow-server', { HOST: '10.1.2.3', PORT: '80' }, 'http://10.1.2.3:80/livez'],
])('the health of %s with %j is asked at %s', (part, env, url) => {
  expect(healthUrl(commandOf(part), env)).toBe(url);
});

test('an init process before the command changes nothing', () => {
  const command = ['/sbin/docker-init', '--', ...commandOf('worker')];
  expect(healthUrl(command, {})).toBe('http://127.0.0.1:9089/readyz');
});

test('another command has no health', () => {
  expect(healthUrl(['sh'], {})).toBeUndefined();
});
