// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how a sources file names variables
import { parseSourcesFile } from '@lastframe/shared/settings/sources-file';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../testing/test-camera.ts';
import { dimensionsOf } from '../../worker/src/image/image-dimensions.ts';
import { createImageScan } from '../../worker/src/image/image-scan.ts';
import { cpuMsOf, superlinearGrowth } from './growth.ts';
import { parsers, repeatedTexts } from './parsers.ts';

/** Quadratic time would exceed 40 ms for the larger text. */
const TEXTS = { length: 2500, floorMs: 20, ceilingMs: 250 };
/** The text around the repetition decides whether a pattern gives up at once. */
const CONTEXTS = [
  ['', ''],
  ['a', 'a\x01'],
] as const;

describe('four times the text takes at most four times as long to parse', () => {
  it.each(Object.entries(parsers))('%s', (_, [parse, ...heads]) => {
    for (const head of ['', ...heads]) {
      for (const unit of repeatedTexts) {
        for (const [start, end] of CONTEXTS) {
          const textOf = (length: number) => head + start + repeat(unit, length) + end;
          const growth = superlinearGrowth(parse, textOf, TEXTS);
          if (growth) expect({ head, start, unit, end, growth }).toBeUndefined();
        }
      }
    }
  });
});

const numberedLines = (length: number, line: (n: number) => string) => {
  let text = '';
  for (let n = 0; text.length < length; n += 1) text += line(n);
  return text;
};

/** Texts of about `length` characters that have crashed or stalled YAML parsers. */
const files: Readonly<Record<string, (length: number) => string>> = {
  'open lists': (length) => '['.repeat(length),
  'lists in lists': (length) => '['.repeat(length / 2) + ']'.repeat(length / 2),
  'mappings in mappings': (length) => repeat('{a: ', length),
  'block lists in block lists': (length) => repeat('- ', length),
  'keys that are mappings': (length) => repeat('? ', length),
  'many keys': (length) => `cameras:\n${numberedLines(length, (n) => `  c${n}: {}\n`)}`,
  'a long key': (length) => `${'a'.repeat(length)}: 1`,
  'many aliases': (length) => `a: &a [x]\n${numberedLines(length, (n) => `b${n}: *a\n`)}`,
  'a billion laughs': (length) =>
    numberedLines(length, (n) => `a${n}: &a${n} [${repeat(n === 0 ? 'x,' : `*a${n - 1},`, 50)}]\n`),
  'a chain of doubling aliases': (length) =>
    numberedLines(length, (n) => `a${n}: &a${n} ${n === 0 ? '[x]' : `[*a${n - 1}, *a${n - 1}]`}\n`),
  'a chain of merge keys': (length) =>
    numberedLines(length, (n) => `a${n}: &a${n} { ${n === 0 ? '' : `<<: *a${n - 1}, `}y: 1 }\n`),
  'many variables': (length) => `sources: "${repeat('${', length)}"`,
  'many faults': (length) => `sources:\n${repeat('- {}\n', length)}`,
  'many errors': (length) => `[${','.repeat(length)}]`,
  'spaces and comments': (length) => repeat('   #\n', length),
  'an open quote': (length) => `a: "${'\\'.repeat(length)}`,
};

describe('a sources file with', () => {
  const options = { file: 'f', env: {}, defaults: testDefaults, readCertificate: () => '' };
  const parse = (text: string) => parseSourcesFile(text, options);

  it.each(Object.entries(files))('%s is rejected quickly, in few words', (_, textOf) => {
    const growth = superlinearGrowth(parse, textOf, {
      length: 2500,
      floorMs: 300,
      ceilingMs: 1500,
    });
    expect(growth).toBeUndefined();
    const outcome = parse(textOf(10_000));
    const faults = outcome.outcome === 'faulty' ? outcome.faults : [];
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n').length).toBeLessThan(100_000);
    expect(faults.join('\n')).not.toContain('call stack');
  });

  it('more than 1 MiB is not parsed', () => {
    const text = ' '.repeat(1024 ** 2 + 1);
    const fault = 'f: it has 1048577 characters; expected at most 1048576';
    expect(parse(text)).toEqual({ outcome: 'faulty', faults: [fault] });
  });
});

const bytes = (text: string) => Buffer.from(text, 'latin1');
const RIFF = 'RIFF\x00\x12\x7a\x00WEBP';
const AVIF = '\0\0\0\x14ftypavif\0\0\0\0avif';
const JPEG_SIZE = '\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0';
const JPEG_TABLE = `\xff\xdb\0\x43\0${'\x01'.repeat(64)}`;
const JPEG_SCAN = '\xff\xda\0\x08\x01\x01\0\0\x3f\0';
const PNG = '\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55';
const BMP = `BM${'\0'.repeat(8)}\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x08\0\x01${'\0'.repeat(23)}`;
const bodies: readonly [contentType: string, head: Buffer, unit: Buffer][] = [
  ['image/jpeg', bytes('\xff\xd8\xff'), bytes('\xff')],
  ['image/jpeg', bytes('\xff\xd8\xff\xe0\0\x02'), bytes('\xff\x01')],
  ['image/jpeg', bytes('\xff\xd8'), bytes('\xff\xe1\0\0')],
  ['image/jpeg', bytes('\xff\xd8'), bytes('\xff\xe1\0\x0aExif\0\0MM')],
  ['image/jpeg', bytes('\xff\xd8'), bytes(`\xff\xc4\0\x13\0${'\0'.repeat(16)}`)],
  ['image/jpeg', bytes(`\xff\xd8${JPEG_SIZE}${JPEG_TABLE}${JPEG_SCAN}`), bytes('\xff\0')],
  ['image/png', bytes('\x89PNG\r\n\x1a\n'), bytes('\0\0\0\0tEXt\0\0\0\0')],
  ['image/png', bytes(PNG), bytes('\0\0\0\0tEXt\0\0\0\0')],
  ['image/png', bytes(PNG), bytes('\0\0\0\0IDAT\x35\xaf\x06\x1e')],
  ['image/gif', bytes('GIF89a'), bytes('\0')],
  ['image/gif', bytes(`GIF89a\x01\0\x01\0\0\0\0!\xfe`), bytes('\x01a')],
  ['image/gif', bytes(`GIF89a\x01\0\x01\0\0\0\0`), bytes('!\xfe\0')],
  ['image/webp', bytes(RIFF), bytes('VP8X\0\0\0\0')],
  ['image/webp', bytes(`${RIFF}VP8L\x06\0\0\0\x2f\0\0\0\0\0`), bytes('XXXX\0\0\0\0')],
  ['image/avif', bytes(AVIF), bytes('\0\0\0\x08free')],
  ['image/avif', bytes(AVIF), bytes('\0\0\0\x08meta')],
  ['image/bmp', bytes(BMP), bytes('\0\0')],
];

/** Each takes up to 200 ms on its own; in quadratic time it would be minutes. */
const CEILING_MS = 3000;

describe('eight million bytes', () => {
  it.each(bodies)('of %s are read quickly: %j, then %j repeated', (contentType, head, unit) => {
    const body = Buffer.concat([head, Buffer.alloc(8_000_000, unit)]);
    const read = () => [scan(body), dimensionsOf(body, contentType)];
    expect(Math.min(cpuMsOf(read), cpuMsOf(read))).toBeLessThan(CEILING_MS);
  });

  it.each(bodies)('of %s are read quickly in small pieces: %j, then %j', (_, head, unit) => {
    const body = Buffer.concat([head, Buffer.alloc(8_000_000, unit)]);
    expect(
      Math.min(
        cpuMsOf(() => scanPieces(body)),
        cpuMsOf(() => scanPieces(body)),
      ),
    ).toBeLessThan(CEILING_MS);
  });
});

function scan(body: Buffer) {
  return createImageScan().finish(body, { acceptTruncated: false });
}

function scanPieces(body: Buffer) {
  const imageScan = createImageScan();
  for (let length = 0; length < body.length; length += 100) {
    imageScan.advance(body.subarray(0, length));
  }
  return imageScan.finish(body, { acceptTruncated: false });
}

function repeat(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length));
}
