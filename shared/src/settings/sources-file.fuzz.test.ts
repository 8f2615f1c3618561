// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { parseCameraUrl } from '../cameras/camera.ts';
import { parseSourcesFile } from './sources-file.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 500);

const SECRET = 'planted-s3cret';
const WHOLE = `sources:
  - name: airport
    match: https://cams.example.com/*
    interval: 10s
    timeout: 20s
    headers: { Authorization: "Bearer $\{TOKEN}" }
    query: [w, h]
    networks: [10.20.0.0/16]
    maxFrameSize: 4MiB
    budget: { perSecond: 5, concurrency: 10 }
    staleFor: 24h
  - name: harbour
    match: http://harbour.test/*
    auth: { basic: { username: me, password: "$\{TOKEN}" } }
    tls: { insecure: true, minVersion: TLSv1.1, legacy: true, servername: harbour.test }
cameras:
  north: { url: "https://cams.example.com/n.jpg?w=1", title: "North", keepWarm: true }
`;

/** Texts that trip YAML parsers and code that uses their objects. */
const TRICKS = [
  ...[
    '\n',
    '\t',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|\n',
    '>\n',
    '#',
    '---\n',
    '...\n',
    '\0',
    '\ufeff',
  ],
  ...[
    '&a ',
    '*a',
    '&a [*a]',
    '<<: *a',
    '? ',
    '!!js/function x',
    '!!binary ',
    '!!set ',
    '!x ',
    '%YAML 9.9\n',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'toString: ',
    'null',
    '~',
    'true',
    '-1',
    '0',
    '1e999',
    '.nan',
    '.inf',
    '0x10',
  ],
  ...[
    '${TOKEN}',
    '${',
    '$${',
    '${MISSING}',
    '${__proto__}',
    '${a b}',
    '5',
    '5s',
    '-5s',
    '1e9h',
    '8MiB',
    'Infinity',
  ],
  ...[
    'http://*:*/*',
    'http://(',
    'file:///x',
    'http://a@b/*',
    '0.0.0.0/0',
    '10.0.0.0/99',
    '\r\nX: y',
    'name: airport',
  ],
];
const files = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(
        fc.record({
          at: fc.nat(WHOLE.length),
          cut: fc.nat(4),
          trick: fc.oneof(fc.constantFrom(...TRICKS), fc.string({ unit: 'binary', maxLength: 3 })),
        }),
        { maxLength: 2 },
      )
      .map((edits) =>
        edits.reduce(
          (text, { at, cut, trick }) => text.slice(0, at) + trick + text.slice(at + cut),
          WHOLE,
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...TRICKS), { maxLength: 12 }).map((t) => t.join('')),
  },
  { weight: 1, arbitrary: fc.json().map((text) => `{"sources": ${text}, "cameras": ${text}}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
);

const options = {
  file: 'sources.yaml',
  env: { TOKEN: SECRET },
  defaults: testDefaults,
  readCertificate: () => {
    throw new Error('no such file');
  },
};

describe('any content of SOURCES_FILE', () => {
  it('that contains itself is a fault', () => {
    for (const text of ['&a [*a]', 'sources: &a [*a]', 'cameras: &a { x: *a }']) {
      expect(parseSourcesFile(text, options)).toMatchObject({ outcome: 'faulty' });
    }
  });

  it('results in usable rules, or in faults that show no secret', () => {
    let accepted = 0;
    fc.assert(
      fc.property(files, (text) => {
        const result = parseSourcesFile(text, options);
        if (result.outcome === 'faulty') {
          expect(result.faults.length).toBeGreaterThan(0);
          expect(result.faults.join('\n')).not.toContain(SECRET);
          return;
        }
        accepted += 1;
        const names = result.sources.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        for (const source of result.sources) {
          expect(source.pattern.text).toMatch(/^https?:\/\//);
          for (const ms of [
            source.intervalMs,
            source.timeoutMs,
            source.startAllowanceMs,
            source.staleForMs,
          ]) {
            expect(Number.isSafeInteger(ms) && ms > 0, `${ms}`).toBe(true);
          }
          expect(Number.isSafeInteger(source.maxFrameBytes)).toBe(true);
          for (const [name, value] of Object.entries(source.headers)) {
            expect(name + value).not.toMatch(/[\r\n\0]/);
          }
        }
        for (const { camera } of result.cameras) {
          expect(parseCameraUrl(camera.url).href).toBe(camera.url);
          expect(camera.source.pattern.test(camera.url)).toBe(true);
        }
        expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('name');
      }),
      { numRuns },
    );
    // Otherwise it would hold because everything is faulty.
    expect(accepted).toBeGreaterThan(numRuns / 50);
  });
});
