import { readFileSync } from 'node:fs';
import type { Env } from '@lastframe/shared/settings/config';
import { parse } from 'yaml';
import type { Settings } from './settings.ts';

/** Returns what to try, printed once everything is ready. The user's own cameras come first. */
export function introduction({ apiPort, slowPort, redisUrl }: Settings, env: Env): string {
  const base = `http://localhost:${apiPort}`;
  const camera = `http://localhost:${slowPort}/image`;
  const lines = [
    '',
    'The wall shows all named cameras live:',
    `  ${base}/`,
    ...ownCameras(base, env),
    'Try it. The first response takes as long as the camera, the next ones milliseconds:',
    `  curl -i "${base}/images" -G --data-urlencode "url=${camera}"`,
    'The same in a browser; other names after /image/ are other cameras:',
    `  ${base}/images?url=${encodeURIComponent(camera)}`,
    ...(redisUrl ? [HOLD_OFF] : []),
    'Ctrl-C stops everything.',
    '',
  ];
  return lines.join('\n');
}

const HOLD_OFF =
  'For the first 30 seconds you get 503: with a new Redis, Lastframe waits until any earlier call must have finished.';
const MAX_SHOWN = 3;

function ownCameras(base: string, env: Env): string[] {
  const file = env.SOURCES_FILE?.trim();
  const patterns = (env.ALLOWED_SOURCES ?? '').split(',').map((pattern) => pattern.trim());
  const allowed = patterns.filter(Boolean);
  return [
    ...(file ? namedCameras(base, file) : []),
    ...(allowed.length > 0 ? allowedSources(base, allowed) : []),
  ];
}

function namedCameras(base: string, file: string): string[] {
  const names = namesIn(file);
  const lines = names.slice(0, MAX_SHOWN).map((name) => `  ${base}/cameras/${name}`);
  if (names.length > MAX_SHOWN) lines.push(`  … and ${names.length - MAX_SHOWN} more`);
  if (names.length === 0) lines.push('  none is named there, so the wall is empty');
  return [`Your cameras, from ${file}:`, ...lines];
}

function allowedSources(base: string, patterns: readonly string[]): string[] {
  const lines = patterns
    .slice(0, MAX_SHOWN)
    .map((url) => `  curl -i "${base}/images" -G --data-urlencode "url=${url}"`);
  if (patterns.some((url) => url.includes('*'))) {
    lines.push(
      '  Replace each * to get the URL of a camera. SOURCES_FILE names cameras for the wall.',
    );
  }
  return ['Your sources, from ALLOWED_SOURCES:', ...lines];
}

/** The file has been read by the api by now; here its names are only shown. */
function namesIn(path: string): string[] {
  try {
    return Object.keys(parse(readFileSync(path, 'utf8'))?.cameras ?? {});
  } catch {
    return [];
  }
}
