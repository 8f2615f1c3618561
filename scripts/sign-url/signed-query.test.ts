import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import { describe, expect, it, test } from 'vitest';
import { signedQuery } from './signed-query.ts';

const key = 'a key of 16 bytes or more';
const url = 'https://cams.example.com/ä b.jpg?w=1&h=%20#x';

test('a URL is signed for the given time', () => {
  const outcome = signedQuery([url, '1h'], { URL_SIGNING_KEY: key }, 1_000_500);
  const query = new URLSearchParams(outcome.ok ? outcome.query.split('?')[1] : '');
  expect(Object.fromEntries(query)).toEqual({
    url,
    exp: '4600',
    sig: signatureOf(url, '4600', key),
  });
});

test.each([
  [[url], {}, 'URL_SIGNING_KEY is not set'],
  [[], { URL_SIGNING_KEY: key }, expect.stringContaining('usage')],
  [['image.jpg'], { URL_SIGNING_KEY: key }, expect.stringContaining('usage')],
  [[url, '5'], { URL_SIGNING_KEY: key }, expect.stringContaining('usage')],
])('%j with %j reports what is missing', (args, env, fault) => {
  expect(signedQuery(args, env, 0)).toEqual({ ok: false, fault });
});

describe('the programs in docs/signed-urls.md', () => {
  const page = readFileSync(new URL('../../docs/signed-urls.md', import.meta.url), 'utf8');
  const programs = {
    sh: ['sh', '-c'],
    python: ['python3', '-c'],
    js: [process.execPath, '--input-type=module', '-e'],
  } as const;
  const isInstalled = (command: string) => spawnSync(command, ['--version']).error === undefined;

  it.each(Object.entries(programs))(
    'the one in %s prints the signature',
    (language, [command, ...args]) => {
      const code =
        [...page.matchAll(/```(\w+)\n(.*?)```/gs)].findLast(([, name]) => name === language)?.[2] ??
        '';
      expect(code).toContain('URL_SIGNING_KEY');
      if (language === 'python' && !isInstalled(command)) return;
      for (const exp of ['', '1790000000']) {
        const env = { PATH: process.env.PATH, URL: url, EXP: exp, URL_SIGNING_KEY: key };
        const { stdout, stderr } = spawnSync(command, [...args, code], { env, encoding: 'utf8' });
        expect(stderr).toBe('');
        expect(stdout).toBe(`${signatureOf(url, exp, key)}\n`);
      }
    },
  );
});
