/** Where the demo's own sources file is, from the repository's root. */
export const DEMO_SOURCES_FILE = '.lastframe/cameras.yaml';

/** What the wall shows at once: cameras of the slow server, of which one froze and one is broken. */
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

/** A `SOURCES_FILE` for `make up`, where the user has none. */
export function demoSourcesFile(slowPort: number): string {
  const images = `http://localhost:${slowPort}/image/`;
  const lines = CAMERAS.map(({ title, query = {} }) => {
    const name = title.toLowerCase().replaceAll(' ', '-');
    const search = String(new URLSearchParams(query));
    const url = `${images}${encodeURIComponent(title)}${search && `?${search}`}`;
    return `  ${name}: { title: ${title}, url: "${url}" }`;
  });
  return `# Written by make up, each time. Your own cameras: SOURCES_FILE=cameras.yaml make up
sources:
  - name: demo
    match: ${images}*
    frozenAfter: 30s
cameras:
${lines.join('\n')}
`;
}
