import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ConfigError } from '../settings/config.ts';
import { readRedisTls } from './redis-tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'lastframe-tls-'));
const NONE = { ca: '', cert: '', key: '' };
const TLS = ['redis://a', 'rediss://b'];
const pem = fileWith('ca', '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');

afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function faultsOf(files: Parameters<typeof readRedisTls>[0], urls = TLS): readonly string[] {
  try {
    readRedisTls(files, urls);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

it('needs no file', () => {
  expect(readRedisTls(NONE, ['redis://a'])).toEqual({});
});

it('trusts the authorities in the file', () => {
  expect(readRedisTls({ ...NONE, ca: pem }, TLS).ca).toContain('BEGIN CERTIFICATE');
});

it.each(['rediss://a', 'rediss+sentinel://a/m', 'rediss+cluster://a'])('applies to %s', (url) => {
  expect(faultsOf({ ...NONE, ca: pem }, [url])).toEqual([]);
});

it('reports all faults at once, in one sentence each', () => {
  const nowhere = join(folder, 'nowhere');
  expect(faultsOf({ ...NONE, ca: nowhere, cert: pem }, ['redis://a'])).toEqual([
    expect.stringMatching(/^REDIS_CA_FILE: ".*nowhere" cannot be read \(ENOENT/),
    'REDIS_CERT_FILE and REDIS_KEY_FILE: only one of them is set; expected both or none',
    'REDIS_CA_FILE, REDIS_CERT_FILE, REDIS_KEY_FILE: set, but no Redis URL begins with rediss',
  ]);
});

it('rejects files with other contents', () => {
  const other = fileWith('other', 'something else');
  expect(faultsOf({ ca: other, cert: other, key: other })).toEqual([
    `REDIS_CA_FILE: "${other}" contains no certificate; expected a PEM file`,
    expect.stringMatching(
      /^REDIS_CERT_FILE and REDIS_KEY_FILE: .* are not a certificate and its key/,
    ),
  ]);
});
