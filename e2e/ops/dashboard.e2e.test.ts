import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { openPage, startBrowser } from '../../testing/viewers/browser.ts';

const SECRET = 'planted-in-the-url-of-a-camera';
const INTERVAL_MS = 1000;

let fleet: Fleet;
let api: Api;
let worker: Worker;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lastframe-dashboard-'));
  fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS });
  const { slow } = fleet;
  const urlOf = (name: string) => JSON.stringify(slow.camera(name, { token: SECRET }));
  const file = join(folder, 'sources.yaml');
  await writeFile(
    file,
    `sources:\n  - { name: slow, match: "${slow.url}/*" }\ncameras:\n  north: { url: ${urlOf('n')} }\n  still: { url: ${urlOf('still')} }\n`,
  );
  await slow.setBehaviour('still', { as: 'frozen' });
  worker = await fleet.startWorker({ ADOPT_REDIS: 'true', SOURCES_FILE: file });
  api = await fleet.startApi({ SOURCES_FILE: file });
  await expectStatus('/cameras/north', 200);
  await expectStatus(
    `/images?${new URLSearchParams({ url: slow.camera('bad', { status: '500', token: SECRET }) })}`,
    502,
  );
  await waitForOutcome('/cameras/still', 'unchanged');
  // Deny its next call for a while. A call under way may end the back-off when it succeeds.
  const backoff = `${fleet.redisPrefix}:backoff:${(await jobDataOf('north')).cameraId}`;
  const deny = () => fleet.redis.command('SET', backoff, '60000', 'PX', '60000');
  await waitForOutcome('/cameras/north', 'denied: backoff', deny);
});

afterAll(async () => {
  await fleet.checkAndStop();
  await rm(folder, { recursive: true });
});

describe('the dashboard', () => {
  it('shows the camera, outcome and duration of every job', async () => {
    const completed = await jobs('completed');
    const captured = completed.find(({ returnValue }) => returnValue === 'captured');
    expect(captured).toMatchObject({ name: expect.stringMatching(/^(north|still)$/) });
    expect((captured?.finishedOn ?? 0) - (captured?.processedOn ?? 0)).toBeGreaterThanOrEqual(100);
    expect(completed.find(({ name }) => name === 'still')).toMatchObject({
      data: { camera: 'still', askedAt: expect.any(String) },
    });
    const [failed] = await jobs('failed');
    expect(failed).toMatchObject({
      name: failed?.data.cameraId,
      failedReason: 'failed: the camera responded with 500',
      data: { url: `${fleet.slow.url}/image/bad?…` },
    });
  });

  it('reveals no secret', async () => {
    for (const status of ['completed', 'failed', 'latest']) {
      expect(await text(`/api/queues?activeQueue=refresh&status=${status}`)).not.toContain(SECRET);
    }
    for (const { id } of [...(await jobs('completed')), ...(await jobs('failed'))].slice(0, 5)) {
      expect(await text(`/api/queues/refresh/${id}`)).not.toContain(SECRET);
    }
  });

  it('works in a browser and loads nothing from elsewhere', async () => {
    const browser = await startBrowser();
    try {
      const { page, complaints, requested } = await openPage(browser);
      page.setDefaultTimeout(60_000);
      await page.goto(`${worker.opsUrl}/queues/queue/refresh?status=completed`);
      await page.getByText('north').first().waitFor();
      await page.goto(`${worker.opsUrl}/queues/queue/refresh?status=failed`);
      await page
        .getByText((await jobs('failed'))[0]?.name ?? 'nothing')
        .first()
        .waitFor();
      expect(complaints).toEqual([]);
      expect(requested.length).toBeGreaterThan(5);
      expect(requested.filter((url) => !url.startsWith(`${worker.opsUrl}/queues`))).toEqual([]);
      expect(await page.content()).not.toContain(SECRET);
    } finally {
      await browser.close();
    }
  });
});

interface ShownJob {
  id: string;
  name: string;
  data: Record<string, string>;
  returnValue?: string;
  failedReason?: string;
  processedOn: number;
  finishedOn: number;
}

const text = async (path: string) => await (await fetch(`${worker.opsUrl}/queues${path}`)).text();

async function jobs(status: string): Promise<ShownJob[]> {
  const body = await text(`/api/queues?activeQueue=refresh&status=${status}&jobsPerPage=200`);
  const { queues } = JSON.parse(body) as { queues?: { jobs: ShownJob[] }[] };
  if (!queues?.[0]) throw new Error(`the dashboard says ${body}`);
  return queues[0].jobs;
}

async function jobDataOf(name: string): Promise<Record<string, string>> {
  return (await jobs('completed')).find((job) => job.name === name)?.data ?? {};
}

/** Requests a camera until a job has ended with this outcome. */
async function waitForOutcome(
  path: string,
  outcome: string,
  prepare = async (): Promise<unknown> => undefined,
): Promise<void> {
  await vi.waitFor(
    async () => {
      await prepare();
      await expectStatus(path, 200);
      const outcomes = (await jobs('completed')).map(({ returnValue }) => returnValue);
      expect(outcomes).toContain(outcome);
    },
    { timeout: 50_000, interval: 100 },
  );
}

async function expectStatus(path: string, status: number): Promise<void> {
  const answer = await fetch(api.url + path);
  await answer.arrayBuffer();
  expect(answer.status).toBe(status);
}
