import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { parseSourcesFile } from './sources-file.ts';

const [first = '', second = ''] = rootCertificates;
const FILES: Record<string, string> = {
  'one.pem': first,
  'two.pem': `a note\r\n${first}\r\nanother\r\n${second}`,
  'damaged.pem': first.replace(/MII/, 'AAA'),
  'second-damaged.pem': `${first}\n${second.replace(/MII/, 'AAA')}`,
  'cut.pem': `${first}\n${second.slice(0, 200)}`,
  'key.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  'binary.der': '\u0030\u0082\ufffd',
  'empty.pem': '',
};

function parse(tls: unknown) {
  const source = { name: 'a', match: 'https://cam.test/*', tls };
  return parseSourcesFile(JSON.stringify({ sources: [source] }), {
    file: 'f',
    env: {},
    defaults: testDefaults,
    readCertificate: (path) => {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error('?'), { code: 'ENOENT' });
      return text;
    },
  });
}

describe("a source's tls", () => {
  it.each([
    [{ insecure: true }, { insecure: true }],
    [{}, {}],
    [{ insecure: false }, {}],
    [{ legacy: true }, { legacy: true }],
    [{ legacy: false, insecure: false, ca: 'one.pem' }, { ca: first }],
    [{ minVersion: 'TLSv1.3' }, { minVersion: 'TLSv1.3' }],
    [
      { minVersion: 'TLSv1', insecure: true },
      { minVersion: 'TLSv1', insecure: true },
    ],
    [{ servername: '' }, { servername: '' }],
    [
      { servername: 'IP Camera', insecure: true },
      { servername: 'IP Camera', insecure: true },
    ],
    [{ ca: first }, { ca: first }],
    [{ ca: 'two.pem' }, { ca: `${first}\n${second}` }],
  ])('%# may be %j', (tls, expected) => {
    expect(parse(tls)).toMatchObject({ outcome: 'read', sources: [{ tls: expected }] });
  });

  const pem = 'expected PEM text or the path of a PEM file';
  const versions = 'expected TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3';
  it.each<[unknown, string]>([
    [true, ': expected a mapping with ca, insecure, minVersion, legacy or servername'],
    [
      { ca: 'one.pem', insecure: true },
      ': expected ca or insecure: true, not both: without a check, no ca is used',
    ],
    [{ insecure: 'yes' }, '.insecure: "yes" is not valid; expected true or false'],
    [{ minVersion: 'TLSv1.0' }, `.minVersion: "TLSv1.0" is not valid; ${versions}`],
    [{ minVersion: 1.1 }, `.minVersion: "1.1" is not valid; ${versions}`],
    [{ minVersion: 'SSLv3' }, `.minVersion: "SSLv3" is not valid; ${versions}`],
    [{ maxVersion: 'TLSv1.2' }, '.maxVersion: unknown key'],
    [
      { servername: 'a\nb' },
      '.servername: "a\nb" is not valid; expected a name that the certificate has, or an empty text to send no name',
    ],
    [{ ca: 'none.pem' }, `.ca: no certificate could be read (ENOENT); ${pem}`],
    [{ ca: 'empty.pem' }, `.ca: it contains no certificate in PEM form; ${pem}`],
    [{ ca: 'key.pem' }, `.ca: it contains no certificate in PEM form; ${pem}`],
    [{ ca: 'binary.der' }, `.ca: it contains no certificate in PEM form; ${pem}`],
    [{ ca: 'damaged.pem' }, `.ca: certificate 1 is damaged; ${pem}`],
    [{ ca: 'second-damaged.pem' }, `.ca: certificate 2 is damaged; ${pem}`],
    [{ ca: 'cut.pem' }, `.ca: a certificate is damaged; ${pem}`],
  ])('%# must not be %j', (tls, fault) => {
    expect(parse(tls)).toEqual({ outcome: 'faulty', faults: [`f: sources[0].tls${fault}`] });
  });
});
