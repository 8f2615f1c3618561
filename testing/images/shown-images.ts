import type { Page } from 'playwright-core';

/** What a browser makes of some bytes: nothing at all, a blank area, or a picture. */
export type Shown = 'nothing' | 'blank' | 'picture';

/** How many images a page decodes per call. */
const BATCH = 250;

/** Has a browser decode each of these as the image of a page. */
export async function shownImages(page: Page, images: readonly Buffer[]): Promise<Shown[]> {
  const shown: Shown[] = [];
  for (let at = 0; at < images.length; at += BATCH) {
    const batch = images.slice(at, at + BATCH).map((bytes) => bytes.toString('base64'));
    shown.push(...(await page.evaluate(showAll, batch)));
  }
  return shown;
}

/** Runs in the page. */
async function showAll(images: string[]): Promise<Shown[]> {
  const MAX_DRAWN_PIXELS = 1_000_000;

  async function show(base64: string): Promise<Shown> {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const url = URL.createObjectURL(new Blob([bytes]));
    const image = new Image();
    image.src = url;
    const isDecoded = await image.decode().then(
      () => true,
      () => false,
    );
    URL.revokeObjectURL(url);
    if (!isDecoded || image.naturalWidth === 0) return 'nothing';
    return isBlank(image) ? 'blank' : 'picture';
  }

  /** What can't be decoded stays transparent. */
  function isBlank(image: HTMLImageElement): boolean {
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width * height > MAX_DRAWN_PIXELS) return false;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context?.drawImage(image, 0, 0);
    const { data } = context?.getImageData(0, 0, width, height) ?? { data: [] };
    return !data.some((value, index) => index % 4 === 3 && value > 0);
  }

  const shown: Shown[] = [];
  for (const image of images) shown.push(await show(image));
  return shown;
}
