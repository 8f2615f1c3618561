import { expect, it } from 'vitest';
import { helm, type ValuesName, valuesOf } from './helm.ts';

async function notes(name: ValuesName, ...args: string[]): Promise<string> {
  const said = await helm('install', 'demo', '.', '--dry-run=client', ...valuesOf(name), ...args);
  return said.slice(said.indexOf('\nNOTES:'));
}

it("the demo's notes have the README's curl, of the demo's camera", async () => {
  expect(await notes('demo')).toContain(
    'curl -i "http://localhost:8088/images" -G --data-urlencode "url=http://image-server:8888/image"',
  );
});

it('the notes say how to come there, and what is still missing', async () => {
  const said = await notes('default');
  expect(said).toContain('port-forward service/demo-lastframe-api 8088:8088');
  expect(said).toContain('No camera may be called yet');
  expect(await notes('default', '--set', 'config.ALLOWED_SOURCES=http://c/*')).not.toContain(
    'No camera',
  );
});

it('with an Ingress the notes have its address', async () => {
  const said = await notes('production');
  expect(said).toContain('curl -i "https://cams.example.com/cams/images"');
  expect(said).not.toContain('port-forward service');
});

it('the notes warn of a Redis that keeps nothing, and of one that everybody reaches', async () => {
  expect(await notes('default', '--set', 'redis.persistence.enabled=false')).toMatch(
    /keeps nothing/,
  );
  expect(await notes('default', '--set', 'networkPolicy.enabled=false')).toMatch(/can reach Redis/);
});
