import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

/** CSS font families. Both come from npm packages, so pictures need no fonts on the machine. */
export const SANS = '"Slow Sans", "Slow Sans Extended", "Slow Mono Cyrillic"';
export const MONO = '"Slow Mono"';

const FILES = {
  'Slow Sans': '@fontsource/barlow/files/barlow-latin-600-normal.woff2',
  'Slow Sans Extended': '@fontsource/barlow/files/barlow-latin-ext-600-normal.woff2',
  'Slow Mono': '@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-500-normal.woff2',
  'Slow Mono Cyrillic': '@fontsource/ibm-plex-mono/files/ibm-plex-mono-cyrillic-600-normal.woff2',
};

/** Makes the fonts known to the canvas. To be called before the first picture; again does nothing. */
export function loadFonts(): void {
  const { resolve } = createRequire(import.meta.url);
  for (const [family, file] of Object.entries(FILES)) {
    if (GlobalFonts.has(family)) continue;
    const path = resolve(file);
    if (!GlobalFonts.registerFromPath(path, family)) {
      throw new Error(`The font ${path} can't be read. Does "npm ci" run through?`);
    }
  }
}
