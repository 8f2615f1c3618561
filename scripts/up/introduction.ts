import type { Settings } from './settings.ts';

/** What to try, once everything is ready. */
export function introduction({ apiPort, slowPort, redisUrl }: Settings): string {
  const images = `http://localhost:${apiPort}/images`;
  const camera = `http://localhost:${slowPort}/image`;
  const lines = [
    '',
    'The wall, with all named cameras, live:',
    `  http://localhost:${apiPort}/`,
    'Try it. The first answer takes as long as the camera itself, the next ones milliseconds:',
    `  curl -i "${images}" -G --data-urlencode "url=${camera}"`,
    'The same in a browser; other names after /image/ are other cameras:',
    `  ${images}?url=${encodeURIComponent(camera)}`,
    ...(redisUrl ? [HOLD_OFF] : []),
    'Ctrl-C ends everything.',
    '',
  ];
  return lines.join('\n');
}

const HOLD_OFF =
  'With a Redis that the fleet has not used before, no camera is called for the first half minute.';
