// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { sourcesFromPatterns } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { parseSourcesFile, type SourcesFileOptions } from './sources-file.ts';

const options: SourcesFileOptions = {
  file: 'sources.yaml',
  env: { CAM_TOKEN: 's3cret', CAM_USER: 'me' },
  defaults: testDefaults,
  readCertificate: () => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
};

function read(text: string, over: Partial<SourcesFileOptions> = {}) {
  const outcome = parseSourcesFile(text, { ...options, ...over });
  if (outcome.outcome === 'faulty') throw new Error(outcome.faults.join('\n'));
  return outcome;
}

function faultsOf(text: string, over: Partial<SourcesFileOptions> = {}): string[] {
  const outcome = parseSourcesFile(text, { ...options, ...over });
  return outcome.outcome === 'faulty' ? outcome.faults : [];
}

const one = (more = '') => `sources:\n  - name: a\n    match: http://cam.test/*\n${more}`;

describe('a file', () => {
  it('may set everything about a source and its cameras', () => {
    const { sources, cameras } = read(`
sources:
  - name: airport
    match: https://cams.example.com/*
    interval: 10s
    maxInterval: 10m
    timeout: 20s
    startAllowance: 2s
    headers: { X-Key: "Bearer \${CAM_TOKEN}" }
    query: [w, h]
    cacheBusters: keep
    networks: [10.20.0.0/16]
    maxFrameSize: 4MiB
    budget: { perSecond: 0.5, concurrency: 10 }
    staleFor: 1h
    maxCameras: 50
    frozenAfter: 10m
    auth: { digest: { username: "\${CAM_USER}", password: "\${CAM_TOKEN}" } }
    tls: { insecure: true, minVersion: TLSv1.1, legacy: true, servername: cam.lan }
    proxy: "http://me:\${CAM_TOKEN}@proxy.lan:3128"
    redirects: [https://cdn.example.com/*]
    conditional: false
    acceptTruncated: true
    placeholders: [sha256-9f86d081884c7d659a2feaa0c55ad015, 'W/"sha256-00000000000000000000000000000000"']
cameras:
  north-runway: { url: "https://cams.example.com/n1.jpg?w=1&x=2", title: "North runway", keepWarm: true }
`);
    expect(sources).toEqual([
      {
        name: 'airport',
        pattern: new UrlPattern('https://cams.example.com/*'),
        intervalMs: 10_000,
        maxIntervalMs: 600_000,
        timeoutMs: 20_000,
        startAllowanceMs: 2000,
        headers: { 'X-Key': 'Bearer s3cret' },
        query: ['w', 'h'],
        cacheBusters: 'keep',
        networks: [[expect.anything(), 16]],
        maxFrameBytes: 4 * 1024 ** 2,
        budget: { perSecond: 0.5, concurrency: 10 },
        staleForMs: 3_600_000,
        unnamedStaleForMs: 600_000,
        maxCameras: 50,
        frozenAfterMs: 600_000,
        auth: { scheme: 'digest', username: 'me', password: 's3cret' },
        tls: { insecure: true, minVersion: 'TLSv1.1', legacy: true, servername: 'cam.lan' },
        proxy: { url: new URL('http://proxy.lan:3128'), authorization: 'Basic bWU6czNjcmV0' },
        redirects: [new UrlPattern('https://cdn.example.com/*')],
        conditional: false,
        acceptTruncated: true,
        placeholders: [
          '"sha256-9f86d081884c7d659a2feaa0c55ad015"',
          '"sha256-00000000000000000000000000000000"',
        ],
      },
    ]);
    expect(cameras).toMatchObject([
      {
        name: 'north-runway',
        title: 'North runway',
        keepWarm: true,
        camera: { url: 'https://cams.example.com/n1.jpg?w=1', name: 'north-runway' },
      },
    ]);
  });

  it('takes missing settings from the environment', () => {
    expect(read(one()).sources).toEqual([
      { ...testDefaults, name: 'a', pattern: new UrlPattern('http://cam.test/*') },
    ]);
  });

  it('names a camera with its URL as written, even if that has a cache-buster', () => {
    const text = one('cameras:\n  gate: { url: "http://cam.test/i?t=12&w=1" }\n');
    expect(read(text).cameras[0]?.camera.url).toBe('http://cam.test/i?t=12&w=1');
  });

  it('may name a camera whose source is only in ALLOWED_SOURCES', () => {
    const furtherSources = sourcesFromPatterns(['http://other.test/*'], testDefaults);
    const text = 'cameras:\n  it: { url: "http://other.test/i" }\n';
    expect(read(text, { furtherSources }).cameras[0]).toMatchObject({
      title: 'it',
      keepWarm: false,
      camera: { source: furtherSources[0] },
    });
  });

  it('keeps a text after a second dollar, and never parses a variable as YAML', () => {
    const env = { EVIL: 'x", interval: "1ms' };
    const text = one('    headers: { A: "$${B}", C: "${EVIL}" }\n');
    expect(read(text, { env }).sources[0]?.headers).toEqual({ A: '${B}', C: 'x", interval: "1ms' });
  });
});

describe('faults', () => {
  it('are reported all at once, each with file, path, what is given and what is expected', () => {
    const text = `
sources:
  - name: "not safe"
    match: cams.example.com/*
    interval: 5
    timeout: -5s
    startAllowance: soon
    query: some
    cacheBusters: drop
    networks: [10.0.0.0/33]
    maxFrameSize: 4MB
    maxCameras: -1
    budget: { perSecond: 0, concurrency: 1.5, perHour: 1 }
    colour: blue
  - match: http://cam.test/*
cameras:
  "a/b": { url: ftp://cam.test/, keepWarm: maybe }
  c: {}
  d: []
other: 1
`;
    expect(faultsOf(text)).toEqual(
      [
        'other: unknown key',
        'sources[0].name: "not safe" is not valid; expected at most 64 letters, digits or . _ ~ -, a letter or digit first',
        'sources[0].match: "cams.example.com/*" is not valid; expected a URL pattern like https://cams.example.com/* (it must begin with http:// or https:// and a host)',
        'sources[0].interval: "5" is not valid; expected a duration like 500ms, 5s, 10m or 24h',
        'sources[0].timeout: "-5s" is not valid; expected a duration like 500ms, 5s, 10m or 24h',
        'sources[0].startAllowance: "soon" is not valid; expected a duration like 500ms, 5s, 10m or 24h',
        'sources[0].query: "some" is not valid; expected keep, strip or a list of parameter names',
        'sources[0].cacheBusters: "drop" is not valid; expected strip or keep',
        'sources[0].networks[0]: "10.0.0.0/33" is not valid; expected a network like 10.20.0.0/16 or ::1/128',
        'sources[0].maxFrameSize: "4MB" is not valid; expected a size like 512KiB, 8MiB or 1GiB',
        'sources[0].budget.perSecond: "0" is not valid; expected calls per second, more than 0',
        'sources[0].budget.concurrency: "1.5" is not valid; expected a whole number of calls, 1 or more',
        'sources[0].budget.perHour: unknown key',
        'sources[0].maxCameras: "-1" is not valid; expected a whole number of cameras, or 0 for no limit',
        'sources[0].colour: unknown key',
        'sources[1].name: it is missing; expected at most 64 letters, digits or . _ ~ -, a letter or digit first',
        'cameras.a/b: the name is not safe in a URL; expected at most 64 letters, digits or . _ ~ -, a letter or digit first',
        "cameras.a/b.url: expected the URL of an image (url must begin with http:// or https://, not ftp:; give the URL of the camera's image)",
        'cameras.a/b.keepWarm: "maybe" is not valid; expected true or false',
        'cameras.c.url: it is missing; expected the URL of an image',
        'cameras.d: expected a camera: url, title and keepWarm',
      ].map((fault) => `sources.yaml: ${fault}`),
    );
  });

  it.each([
    ['5', '"5" is not valid; expected a duration like 500ms, 5s, 10m or 24h'],
    ['-5s', '"-5s" is not valid; expected a duration like 500ms, 5s, 10m or 24h'],
  ])('are reported for an interval of %s', (value, sentence) => {
    expect(faultsOf(one(`    interval: ${value}\n`))).toEqual([
      `sources.yaml: sources[0].interval: ${sentence}`,
    ]);
  });

  it('are reported for a longest interval that contradicts the others', () => {
    const file = (lines: string) => faultsOf(one(lines.replace(/^/gm, '    ')));
    expect(file('interval: 10s\nmaxInterval: 9s')).toEqual([
      'sources.yaml: sources[0].maxInterval: shorter than the interval; expected at least that',
    ]);
    expect(file('maxInterval: 31m\nstaleFor: 1h')).toEqual([
      'sources.yaml: sources[0].maxInterval: longer than half of staleFor (STALE_FOR); expected at most that',
    ]);
    expect(file('interval: 2h\nstaleFor: 1h')).toEqual([]);
  });

  it('name a missing variable and where it is used', () => {
    const text = one(
      '    headers: { A: "${NO_TOKEN}", B: "${}", C: "${X" }\n    interval: "${I}"\n',
    );
    expect(faultsOf(text)).toEqual([
      'sources.yaml: sources[0].headers.A: the environment variable NO_TOKEN is not set, or empty',
      'sources.yaml: sources[0].headers.B: "${}" is not a variable; expected ${NAME}, or $${ for the text ${',
      'sources.yaml: sources[0].headers.C: "${X" is not a variable; expected ${NAME}, or $${ for the text ${',
      'sources.yaml: sources[0].interval: the environment variable I is not set, or empty',
      'sources.yaml: sources[0].interval: "${I}" is not valid; expected a duration like 500ms, 5s, 10m or 24h',
    ]);
  });

  it.each([
    ['', 'sources.yaml: expected a mapping with sources and cameras'],
    ['[]', 'sources.yaml: expected a mapping with sources and cameras'],
    ['sources: 5', 'sources.yaml: sources: expected a list of sources'],
    [
      'sources: [5]',
      'sources.yaml: sources[0]: expected a source: name, match and what differs from the defaults',
    ],
    ['a: 1\na: 2', 'sources.yaml: line 2, column 1: this key appears twice'],
    ['a: [', /^sources.yaml: line 1, column 5: /],
    ['a: *b', /^sources.yaml: .*[Aa]lias/],
    [
      one('  - name: a\n    match: http://b.test/*\n'),
      'sources.yaml: sources[1].name: sources[0] has this name; expected another',
    ],
    [
      one('cameras:\n  c: { url: "http://else.test/?key=s3cret" }\n'),
      'sources.yaml: cameras.c.url: no source matches it; expected one in sources or ALLOWED_SOURCES',
    ],
    [
      one('    auth: {}\n'),
      'sources.yaml: sources[0].auth: expected either basic or digest, each with username and password',
    ],
    [
      one('    auth: { basic: { username: "a:b", password: s3cret } }\n'),
      'sources.yaml: sources[0].auth.basic.username: expected a user name without a colon',
    ],
    [
      one('    headers: { Host: evil }\n'),
      'sources.yaml: sources[0].headers.Host: expected a header that Lastframe does not set itself',
    ],
    [
      one('    headers: { A: "b\\r\\nHost: x" }\n'),
      'sources.yaml: sources[0].headers.A: expected a header name and value that HTTP allows',
    ],
    [
      one('    tls: { ca: nowhere.pem }\n'),
      'sources.yaml: sources[0].tls.ca: no certificate could be read (ENOENT); expected PEM text or the path of a PEM file',
    ],
  ])('are reported for %j', (text, sentence) => {
    const [fault, ...more] = faultsOf(text);
    expect(fault).toEqual(
      typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
    );
    expect(more).toEqual([]);
  });

  it('never show a secret: no header, password, URL of a camera, or value of a variable', () => {
    const text = `
sources:
  - name: "\${CAM_TOKEN}/"
    match: http://me:s3cret@cam.test/*
    interval: "\${CAM_TOKEN}"
    headers: { "s3cret x": s3cret, A: [s3cret], B: "s3cret\\0" }
    auth: { basic: { username: me, password: "s3cret\\0" }, digest: s3cret }
    tls: { ca: s3cret }
cameras:
  c: { url: "http://cam.test:99999/?key=s3cret" }
`;
    const faults = faultsOf(text).join('\n').replace('headers.s3cret x', '');
    expect(faults).not.toContain('s3cret');
    expect(faults).toContain('sources[0].auth.digest');
  });
});

it.each(['README.md', 'docs/sources.md'])('the file shown in %s is valid', (page) => {
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(text) ?? [];
  expect(read(yaml)).toMatchObject({
    sources: [{ name: 'airport', intervalMs: 10_000 }],
    cameras: [{ name: 'north-runway', title: 'North runway' }],
  });
});
