/** The demo's own sources file, from the repository's root. */
export const DEMO_SOURCES_FILE = '.lastframe/cameras.yaml';

/** On the wall at once: cameras of the slow server, one of them frozen and one broken. */
const CAMERAS: readonly { title: string; query?: Record<string, string> }[] = [
  { title: 'North runway' },
  { title: 'Harbour entrance', query: { delay: '2s' } },
  { title: 'Town square', query: { delay: '3s' } },
  { title: 'Summit station', query: { delay: '1s' } },
  { title: 'Coast road', query: { as: 'frozen' } },
  { title: 'Old bridge', query: { delay: '4s' } },
  { title: 'Lake pier', query: { delay: '2s' } },
  { title: 'Alpine hut', query: { delay: '1s', status: '500' } },
  { title: 'Apron west', query: { delay: '3s' } },
];

/**
 * Returns a `SOURCES_FILE` for `make up`, for users who have none. The cameras that ALLOWED_SOURCES
 * gives by their whole URL are on the wall too, before the demo's.
 */
export function demoSourcesFile(slowPort: number, allowedSources = ''): string {
  const images = `http://localhost:${slowPort}/image/`;
  const own = wholeUrls(allowedSources).map((url, n) =>
    cameraLine(`your-camera-${n + 1}`, url.replace(/^https?:\/\//, ''), url),
  );
  const demo = CAMERAS.map(({ title, query = {} }) => {
    const search = String(new URLSearchParams(query));
    const url = `${images}${encodeURIComponent(title)}${search && `?${search}`}`;
    return cameraLine(title.toLowerCase().replaceAll(' ', '-'), title, url);
  });
  return `# Written by make up, each time. Your own cameras: SOURCES_FILE=cameras.yaml make up
sources:
  - name: demo
    match: ${images}*
    frozenAfter: 30s
cameras:
${[...own, ...demo].join('\n')}
`;
}

/**
 * Returns the patterns of ALLOWED_SOURCES that are the URL of one camera. Without a path a pattern
 * means every camera of its host, and a `$` would stand for a variable in the file.
 */
function wholeUrls(allowedSources: string): string[] {
  const patterns = allowedSources.split(',').map((pattern) => pattern.trim());
  return patterns.filter(
    (pattern) =>
      !/[*$]/.test(pattern) && URL.canParse(pattern) && new URL(pattern).pathname !== '/',
  );
}

function cameraLine(name: string, title: string, url: string): string {
  return `  ${name}: { title: ${JSON.stringify(title)}, url: ${JSON.stringify(url)} }`;
}
