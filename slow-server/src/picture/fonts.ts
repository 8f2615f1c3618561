import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

/** CSS font families from npm packages, so that pictures need no fonts on the machine. */
export const SANS = '"Slow Sans", "Slow Sans Extended", "Slow Mono Cyrillic"';
export const MONO = '"Slow Mono"';

/** Registers the fonts with the canvas, before the first picture. Repeated calls do nothing. */
export function loadFonts(): void {
  for (const [family, path] of Object.entries(fontFiles())) {
    if (GlobalFonts.has(family) || GlobalFonts.registerFromPath(path, family)) continue;
    throw new Error(`Cannot read the font ${path}; run "npm ci" again.`);
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
