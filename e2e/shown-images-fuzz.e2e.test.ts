import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printMeasurements } from '../testing/checks/report.ts';
import { type MutatedImage, mutatedImages } from '../testing/images/mutated-images.ts';
import { shownImages } from '../testing/images/shown-images.ts';
import { openPage, startBrowser } from '../testing/viewers/browser.ts';
import { createImageScan } from '../worker/src/image/image-scan.ts';
import { avifSequence, samples } from '../worker/src/test-support/images.ts';

/** The same images every time, unless FUZZ_RUNS starts a search. */
const SEED = process.env.FUZZ_RUNS ? Date.now() % 2 ** 31 : 1;
const ACCEPTED = process.env.FUZZ_RUNS ? 500 : 200;
/**
 * What structure can't tell: damage inside of compressed data, three quarters of it in lossless
 * WebPs, and AVIFs with features that this browser lacks.
 */
const MAX_BLANK_SHARE = 0.15;
const MAX_UNDECODED_SHARE = 0.01;

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  ({ page } = await openPage(browser));
});

afterAll(() => browser?.close());

/** Returns the image as Lastframe would store it; undefined if it is rejected. */
function storedBytes(bytes: Buffer): Buffer | undefined {
  const result = createImageScan().finish(bytes, { acceptTruncated: false });
  return result.state === 'whole' ? bytes.subarray(0, result.endBytes) : undefined;
}

/** Returns this many accepted mutants, each different from its sample. */
function acceptedMutants(count: number): MutatedImage[] {
  const originals = new Set(Object.values(samples).map(({ bytes }) => bytes.toString('base64')));
  const accepted: MutatedImage[] = [];
  for (let round = 0; accepted.length < count; round += 1) {
    for (const mutant of fc.sample(mutatedImages, { numRuns: 1000, seed: SEED + round })) {
      const bytes = storedBytes(mutant.bytes);
      if (bytes && !originals.has(bytes.toString('base64'))) accepted.push({ ...mutant, bytes });
    }
  }
  return accepted.slice(0, count);
}

describe('Chromium', () => {
  it('shows every sample', async () => {
    const images = [avifSequence(), ...Object.values(samples).map(({ bytes }) => bytes)];
    expect(await shownImages(page, images)).toEqual(images.map(() => 'picture'));
  });

  it('shows what the worker accepts of damaged images', async () => {
    const accepted = acceptedMutants(ACCEPTED);
    const shown = await shownImages(
      page,
      accepted.map(({ bytes }) => bytes),
    );
    const namesOf = (kind: string) =>
      accepted.filter((_, index) => shown[index] === kind).map(({ name }) => name);
    const [undecoded, blank] = [namesOf('nothing'), namesOf('blank')];
    printMeasurements('accepted images', { seed: SEED, images: ACCEPTED, undecoded, blank });
    expect(undecoded.length).toBeLessThanOrEqual(ACCEPTED * MAX_UNDECODED_SHARE);
    expect(blank.length).toBeLessThanOrEqual(ACCEPTED * MAX_BLANK_SHARE);
    expect(undecoded.filter((name) => !name.includes('.avif'))).toEqual([]);
  });

  it('shows no image behind a byte order mark, which the worker rejects', async () => {
    const inFront = Object.entries(samples).map(([name, { bytes }]) => ({
      name,
      bytes: Buffer.concat([Buffer.from('\ufeff'), bytes]),
    }));
    expect(inFront.filter(({ bytes }) => storedBytes(bytes))).toEqual([]);
    const shown = await shownImages(
      page,
      inFront.map(({ bytes }) => bytes),
    );
    expect(shown).toEqual(inFront.map(() => 'nothing'));
  });
});
