import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

/** CSS font families. Both come from npm packages, so pictures need no fonts on the machine. */
export const SANS = '"Slow Sans", "Slow Sans Extended", "Slow Mono Cyrillic"';
export const MONO = '"Slow Mono"';

/** Makes the fonts known to the canvas. To be called before the first picture; again does nothing. */
export function loadFonts(): void {
  for (const [family, path] of Object.entries(fontFiles())) {
    if (GlobalFonts.has(family) || GlobalFonts.registerFromPath(path, family)) continue;
    throw new Error(`The font ${path} can't be read. Does "npm ci" run through?`);
  }
}

function fontFiles(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return {
    'Slow Sans': require.resolve('@fontsource/barlow/files/barlow-latin-600-normal.woff2'),
    'Slow Sans Extended': require.resolve(
      '@fontsource/barlow/files/barlow-latin-ext-600-normal.woff2',
    ),
    'Slow Mono': require.resolve(
      '@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-500-normal.woff2',
    ),
    'Slow Mono Cyrillic': require.resolve(
      '@fontsource/ibm-plex-mono/files/ibm-plex-mono-cyrillic-600-normal.woff2',
    ),
  };
}
