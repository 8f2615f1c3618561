import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutatedImages } from '../../../testing/images/mutated-images.ts';
import { createImageScan } from './image-scan.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 3000);

const options = { acceptTruncated: false };
const scan = (bytes: Buffer) => createImageScan().finish(bytes, options);

/** Images of a few hundred bytes, on a busy machine. */
const CEILING_MS = 1000;

describe('any bytes like those of an image', () => {
  it('are taken or rejected at once, and some of them are taken', () => {
    const states = { whole: 0, invalid: 0 };
    fc.assert(
      fc.property(mutatedImages, ({ bytes }) => {
        const startedMs = performance.now();
        const result = scan(bytes);
        expect(performance.now() - startedMs).toBeLessThan(CEILING_MS);
        states[result.state] += 1;
        if (result.state === 'whole') expect(result.endBytes).toBeLessThanOrEqual(bytes.length);
        else expect(result.fault).toMatch(/^the camera sent [\x20-\x7e×]+$/);
      }),
      { numRuns },
    );
    // Otherwise it would hold because everything is rejected.
    expect(states.whole).toBeGreaterThan(numRuns / 10);
    expect(states.invalid).toBeGreaterThan(numRuns / 10);
  });

  it('are the same image, in whatever pieces they arrive', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(mutatedImages, lengths, ({ bytes }, pieces) => {
        const imageScan = createImageScan();
        for (let length = 0, piece = 0; length < bytes.length; piece += 1) {
          length += pieces[piece % pieces.length] ?? 1;
          const result = imageScan.advance(bytes.subarray(0, length));
          // It is settled once and for all.
          if (result.state !== 'more') expect(imageScan.finish(bytes, options)).toEqual(result);
        }
        expect(imageScan.finish(bytes, options)).toEqual(scan(bytes));
      }),
      { numRuns },
    );
  });

  it('stay whole whatever follows', () => {
    const trailers = fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(Buffer.alloc(5000)));
    fc.assert(
      fc.property(mutatedImages, trailers, ({ bytes }, trailer) => {
        const result = createImageScan().advance(bytes);
        if (result.state !== 'whole') return;
        expect(scan(Buffer.concat([bytes, trailer]))).toEqual(result);
      }),
      { numRuns },
    );
  });

  it('are still the image when they are cut at its end', () => {
    fc.assert(
      fc.property(mutatedImages, fc.boolean(), ({ bytes }, acceptTruncated) => {
        const result = createImageScan().finish(bytes, { acceptTruncated });
        if (result.state !== 'whole') return;
        const cut = bytes.subarray(0, result.endBytes);
        expect(createImageScan().finish(cut, { acceptTruncated })).toEqual(result);
      }),
      { numRuns },
    );
  });
});
