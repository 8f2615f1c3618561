import { expect, it } from 'vitest';
import { helm, type ValuesName, valuesOf } from './helm.ts';

async function notes(name: ValuesName, ...args: string[]): Promise<string> {
  const text = await helm('install', 'demo', '.', '--dry-run=client', ...valuesOf(name), ...args);
  return text.slice(text.indexOf('\nNOTES:'));
}

it("the demo's notes show the README's curl for the demo's camera", async () => {
  expect(await notes('demo')).toContain(
    'curl -i "http://localhost:8088/images" -G --data-urlencode "url=http://image-server:8888/image"',
  );
});

it('the notes explain how to reach the api, and what is still missing', async () => {
  const text = await notes('default');
  expect(text).toContain('port-forward service/demo-lastframe-api 8088:8088');
  expect(text).toContain('No camera may be called yet');
  expect(await notes('default', '--set', 'config.ALLOWED_SOURCES=http://c/*')).not.toContain(
    'No camera',
  );
});

it('with an Ingress, the notes show its address', async () => {
  const text = await notes('production');
  expect(text).toContain('curl -i "https://cams.example.com/cams/images"');
  expect(text).not.toContain('port-forward service');
});

it('the notes warn of a Redis without persistence, and of an unprotected one', async () => {
  expect(await notes('default', '--set', 'redis.persistence.enabled=false')).toMatch(
    /keeps nothing/,
  );
  expect(await notes('default', '--set', 'networkPolicy.enabled=false')).toMatch(/can reach Redis/);
});
