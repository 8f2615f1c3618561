import { afterEach, expect, it } from 'vitest';
import { checkCalls } from '../testing/checks/checker.ts';
import { type Api, type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { type SourcesFile, writeSourcesFile } from '../testing/fleet/sources-file.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;
let file: SourcesFile;

afterEach(async () => {
  file.remove();
  await fleet.checkAndStop();
});

/** Starts two workers and an api whose only source has these redirects. */
async function startWith(redirects: string, cameras = ''): Promise<Api> {
  fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS });
  const source = `{ name: slow, match: "${fleet.slow.url}/*", redirects: ${redirects} }`;
  file = writeSourcesFile(`sources: [${source}]\n${cameras}`);
  const env = { SOURCES_FILE: file.path, ALLOWED_SOURCES: '', COLD_WAIT: '30s' };
  await fleet.startWorker({ ADOPT_REDIS: 'true', ...env });
  await fleet.startWorker(env);
  return await fleet.startApi(env);
}

const size = { size: '64x36' };
/** `latest` leads to whatever is the latest picture, as a provider's server does. */
const latestOf = (target: string) => fleet.slow.camera('latest', { as: 'redirect', to: target });

it('shows new pictures of a dated file, with one request per interval in all', async () => {
  const api = await startWith('same-host');
  const pictures = new Set<string>();
  const url = latestOf(`${fleet.slow.url}/image/dated?size=64x36`);
  const look = async () => {
    const answer = await api.image(url);
    if (answer.status === 200) pictures.add(answer.headers.get('etag') ?? '');
    return pictures.size;
  };
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toBeGreaterThan(3);
  const calls = await fleet.slow.calls();
  expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(['latest', 'dated']));
  // Both are one camera to the machine behind them.
  const asOne = calls.map((call) => ({ ...call, url: 'one' }));
  expect(checkCalls(asOne, INTERVAL_MS, await fleet.slow.pauses()).breaches).toEqual([]);
});

it('calls a target that others watch too at most once per interval', async () => {
  const api = await startWith('same-host');
  const dated = fleet.slow.camera('dated', size);
  const urls = [latestOf(dated), dated];
  const seen = [new Set<string>(), new Set<string>()];
  const look = async () => {
    const answers = await Promise.all(urls.map((url) => api.image(url)));
    for (const [n, answer] of answers.entries()) {
      if (answer.status === 200) seen[n]?.add(answer.headers.get('etag') ?? '');
    }
    return Math.min(...seen.map(({ size: pictures }) => pictures));
  };
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toBeGreaterThan(1);
  // The checker at the end compares the calls to each URL.
});

it('names a target that is not allowed, to viewers and in the log', async () => {
  const api = await startWith('none');
  const answer = await api.image(latestOf(`${fleet.slow.url}/image/dated?token=planted`));
  expect(answer.status).toBe(502);
  const { detail } = (await answer.json()) as { detail: string };
  expect(detail).toContain(`a redirect to ${fleet.slow.url}/image/dated; redirects: same-host`);
  expect(detail).not.toContain('planted');
  const logs = fleet.workers.flatMap(({ logs }) => logs);
  expect(logs).toContainEqual(expect.objectContaining({ msg: 'camera failing', reason: detail }));
});
