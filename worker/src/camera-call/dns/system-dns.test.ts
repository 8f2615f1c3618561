import { describe, expect, it } from 'vitest';
import { createSystemDnsReader, namesToTry, parseHosts, parseResolvConf } from './system-dns.ts';

describe('a hosts file', () => {
  it('lists the addresses of each name in lower case, and ignores comments', () => {
    const text = [
      '# 10.0.0.1 old',
      '127.0.0.1\tlocalhost # ours',
      '::1 localhost ip6-localhost',
      '  10.0.0.2   Cam  cam.lan',
      'fe80::1%lo0 scoped',
      'no-address name',
      '10.0.0.3',
      '',
    ].join('\n');
    expect(Object.fromEntries(parseHosts(text))).toEqual({
      localhost: ['127.0.0.1', '::1'],
      'ip6-localhost': ['::1'],
      cam: ['10.0.0.2'],
      'cam.lan': ['10.0.0.2'],
      scoped: ['fe80::1%lo0'],
    });
  });
});

describe('resolv.conf', () => {
  it.each([
    ['', [], 1],
    ['nameserver 10.0.0.1', [], 1],
    ['search a.test b.test.', ['a.test', 'b.test'], 1],
    ['domain a.test', ['a.test'], 1],
    ['search a.test\nsearch b.test', ['b.test'], 1],
    ['search . a.test', ['a.test'], 1],
    ['; search a.test\n#options ndots:3', [], 1],
    ['options timeout:1 ndots:5 rotate', [], 5],
    ['options ndots:2\noptions edns0', [], 2],
    ['options ndots:99', [], 15],
    ['options ndots:x', [], 1],
  ])('%j', (text, search, ndots) => {
    expect(parseResolvConf(text)).toEqual({ search, ndots });
  });
});

it('treats missing files as empty', () => {
  const read = createSystemDnsReader('/no/such/file', '/no/such/file');
  expect(read()).toEqual({ hosts: new Map(), search: [], ndots: 1 });
});

it('does not parse an unchanged hosts file again', () => {
  const read = createSystemDnsReader('/etc/hosts', '/no/such/file');
  expect(read().hosts).toBe(read().hosts);
});

it.each([
  ['cam', 1, ['cam.a', 'cam.b', 'cam']],
  ['cam.test', 1, ['cam.test', 'cam.test.a', 'cam.test.b']],
  ['cam.test', 2, ['cam.test.a', 'cam.test.b', 'cam.test']],
  ['cam', 0, ['cam', 'cam.a', 'cam.b']],
])('%s with ndots:%d is tried as %j', (host, ndots, names) => {
  expect(namesToTry(host, { search: ['a', 'b'], ndots })).toEqual(names);
});
