import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWallFleet, type WallFleet } from '../testing/fleet/wall-fleet.ts';
import { openPage, startBrowser } from '../testing/viewers/browser.ts';

const TITLES = [
  'North runway',
  'Harbour entrance',
  'Town square',
  'Summit station',
  'Central station',
  'Coast road',
  'Lake pier',
  'Old bridge',
  'Apron west',
  'Alpine hut',
  'Ferry terminal',
  'Market street',
];
const LATE = 'Summit station';
const FROZEN = 'Coast road';
const FAILING = 'Old bridge';
const COLD = 'Alpine hut';
const SIZES = { phone: [360, 780], desktop: [1440, 900], wall: [3840, 2160] } as const;
/** `make pictures` sets this to the docs folder; otherwise the pictures are only checked. */
const { PICTURES_FOLDER } = process.env;

const SOON = { timeout: 20_000 };

let browser: Browser;
let wall: WallFleet;
let folder: string;

const nameOf = (title: string) => title.toLowerCase().replaceAll(' ', '-');

beforeAll(async () => {
  folder = PICTURES_FOLDER ?? mkdtempSync(join(tmpdir(), 'lastframe-pictures-'));
  mkdirSync(folder, { recursive: true });
  const size = PICTURES_FOLDER ? '960x540' : '320x180';
  const cameras = TITLES.map((title) => ({
    name: nameOf(title),
    title,
    query: { size, ...(title === COLD && { status: '503' }) },
  }));
  [browser, wall] = await Promise.all([
    startBrowser(),
    // A hanging call makes a camera late long before it fails.
    startWallFleet({
      cameras,
      // On a busy machine a shorter one would make healthy cameras late.
      intervalMs: 3000,
      source: ', timeout: 10m, frozenAfter: 2s',
    }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  try {
    await wall?.fleet.check();
  } finally {
    await wall?.stop();
  }
  if (!PICTURES_FOLDER && folder) rmSync(folder, { recursive: true });
});

const tile = (page: Page, title: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('button', { name: title }) });

const healthOf = (page: Page, title: string) =>
  tile(page, title).locator('.health').textContent({ timeout: 5000 });

async function becomes(page: Page, title: string, health: string): Promise<void> {
  await expect.poll(() => healthOf(page, title), { timeout: 40_000 }).toBe(health);
}

it('marks late, frozen and failing cameras by a word, an icon and a colour', async () => {
  const { page, complaints, close } = await openPage(browser, {
    viewport: { width: 1440, height: 900 },
  });
  await page.goto(wall.balancer.url);
  await expect
    .poll(() => page.locator('.tile img').count(), { timeout: 30_000 })
    .toBe(TITLES.length - 1);
  for (const title of TITLES.filter((one) => one !== COLD)) await becomes(page, title, 'Live');

  // Announced once, politely, to screen readers; a later change may replace it.
  const isAnnounced = expect
    .poll(() => page.getByRole('status').textContent(), { timeout: 60_000 })
    .toMatch(new RegExp(`(${LATE}|${FROZEN}|${FAILING}) is |cameras have changed`));
  isAnnounced.catch(() => {}); // awaited below
  await wall.fleet.slow.setBehaviour(LATE, { delay: '10m' });
  await wall.fleet.slow.setBehaviour(FROZEN, { as: 'frozen' });
  await wall.fleet.slow.setBehaviour(FAILING, { status: '500' });
  await becomes(page, FAILING, 'Failing');
  await becomes(page, COLD, 'Failing');
  await becomes(page, FROZEN, 'Frozen');
  await becomes(page, LATE, 'Late');

  await tile(page, FROZEN)
    .getByText(/^same for \d+ s$/)
    .waitFor();
  await tile(page, FAILING).getByText('The camera responded with 500').waitFor();
  await tile(page, COLD).getByText('The camera responded with 503').waitFor();
  // The last good picture stays.
  for (const title of [LATE, FROZEN, FAILING]) {
    expect(await tile(page, title).locator('img').count()).toBe(1);
    const icon = await tile(page, title).locator('.health use').getAttribute('href');
    expect(icon).toBe(`#icon-${(await healthOf(page, title))?.toLowerCase()}`);
  }
  const counts = page.getByRole('list', { name: 'Cameras by health' });
  // On a busy machine a healthy camera may be late for a moment.
  await expect
    .poll(() => counts.textContent(), { timeout: 60_000 })
    .toBe('8 live1 late1 frozen2 failing');
  await isAnnounced;
  expect(complaints).toEqual([]);
  await close();
});

it('works by keyboard: arrows move between tiles, Enter enlarges, arrows change the camera, Escape returns', async () => {
  const { page, complaints, close } = await openPage(browser, {
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
  });
  await page.goto(wall.balancer.url);
  await tile(page, TITLES[0] ?? '')
    .locator('img')
    .waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
  await page.keyboard.press('Tab');
  expect(await focused()).toBe(TITLES[0]);
  await page.keyboard.press('ArrowRight');
  expect(await focused()).toBe(TITLES[1]);
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe(TITLES[5]);
  await page.keyboard.press('Home');
  await page.keyboard.press('End');
  expect(await focused()).toBe(TITLES.at(-1));
  await page.keyboard.press('Home');

  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect.poll(() => dialog.getByRole('heading').textContent(), SOON).toBe(TITLES[0]);
  await dialog.getByRole('img', { name: `Last picture of ${TITLES[0]}` }).waitFor();
  expect(await dialog.getByRole('button', { name: 'Close' }).evaluate(isFocused)).toBe(true);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await dialog.getByRole('img', { name: `Last picture of ${TITLES[2]}` }).waitFor();
  const first = await dialog.getByRole('img').getAttribute('data-etag');
  await expect
    .poll(() => dialog.getByRole('img').getAttribute('data-etag'), { timeout: 20_000 })
    .not.toBe(first);
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('dialog').count(), SOON).toBe(0);
  await expect.poll(focused, SOON).toBe(TITLES[2]);
  expect(complaints).toEqual([]);
  await close();
});

it('has roles, names and labels for screen readers', async () => {
  const { page, close } = await openPage(browser, { viewport: { width: 1440, height: 900 } });
  await page.goto(wall.balancer.url);
  await tile(page, TITLES[0] ?? '')
    .locator('img')
    .waitFor();
  const snapshot = await page.locator('body').ariaSnapshot();
  expect(snapshot).toContain('- heading "Lastframe" [level=1]');
  expect(snapshot).toContain('- list "Cameras":');
  expect(snapshot).toContain('- img "Last picture of North runway"');
  expect(snapshot).toContain('- button "North runway"');
  expect(await page.evaluate(screenReaderFaults)).toEqual([]);
  await close();
});

it('is legible from phone to video wall, dark and light, and never wider than its screen', async () => {
  // A phone shows three cameras: the unhealthy ones.
  const chosen = new URLSearchParams([LATE, FROZEN, FAILING].map((one) => ['camera', nameOf(one)]));
  for (const [name, [width, height]] of Object.entries(SIZES)) {
    const both = ['dark', 'light'] as const;
    for (const colorScheme of PICTURES_FOLDER || name === 'desktop' ? both : both.slice(0, 1)) {
      const { page, close } = await openPage(browser, {
        viewport: { width, height },
        colorScheme,
        // Half the scale shows as much in the docs, at a quarter of the bytes.
        deviceScaleFactor: width > 2000 ? 0.5 : 1,
      });
      await page.goto(`${wall.balancer.url}/?${name === 'phone' ? chosen : ''}`);
      const shown = () => page.locator('.tile img').count();
      await expect.poll(shown, { timeout: 30_000 }).toBe(name === 'phone' ? 3 : TITLES.length - 1);
      for (const [title, health] of [
        [LATE, 'Late'],
        [FROZEN, 'Frozen'],
        [FAILING, 'Failing'],
      ] as const) {
        await becomes(page, title, health);
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      const clipped = await page.evaluate(() =>
        [...document.querySelectorAll('.caption')]
          .filter((caption) => caption.scrollWidth > caption.clientWidth)
          .map((caption) => caption.textContent),
      );
      expect(clipped, `${name}, ${colorScheme}`).toEqual([]);
      const path = join(folder, `wall-${name}-${colorScheme}.png`);
      await page.screenshot({ path });
      expect(statSync(path).size).toBeGreaterThan(20_000);
      await close();
    }
  }
});

it('shows its queue on the dashboard, which also loads nothing from elsewhere', async () => {
  const [worker] = wall.fleet.workers;
  const { page, complaints, requested, blockedRequests, close } = await openPage(browser, {
    viewport: { width: 1440, height: 900 },
  });
  await page.goto(`${worker?.opsUrl}/queues/queue/refresh?status=completed`);
  await page
    .getByText(/^[0-9a-f]{32}-\d+$/)
    .first()
    .waitFor({ timeout: 20_000 });
  await page.screenshot({ path: join(folder, 'queues.png') });
  const elsewhere = requested.filter((url) => !url.startsWith(worker?.opsUrl ?? ''));
  expect(elsewhere.filter((url) => !blockedRequests.includes(url))).toEqual([]);
  expect(complaints.filter((one) => !one.includes('Content Security Policy'))).toEqual([]);
  await close();
});

const isFocused = (element: Element) => element === document.activeElement;

/** Returns the usual faults for screen readers that a page has; runs in the page. */
function screenReaderFaults(): string[] {
  const faults: string[] = [];
  const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
  if (!document.documentElement.lang) faults.push('the page has no language');
  if (all('h1').length !== 1) faults.push('not exactly one h1');
  if (all('main').length !== 1) faults.push('not exactly one main');
  for (const image of all('img')) {
    if (!image.getAttribute('alt')) faults.push(`an image without words: ${image.outerHTML}`);
  }
  for (const button of all('button, a')) {
    if (!(button.getAttribute('aria-label') ?? button.textContent)?.trim()) {
      faults.push(`a control without a name: ${button.outerHTML}`);
    }
  }
  for (const svg of all('svg')) {
    if (svg.getAttribute('aria-hidden') !== 'true') faults.push('an icon that is read out');
  }
  const ids = all('[id]').map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: #${id}`);
  for (const element of all('[aria-labelledby]')) {
    const id = element.getAttribute('aria-labelledby') ?? '';
    if (!document.getElementById(id)) faults.push(`no #${id} to be labelled by`);
  }
  return faults;
}
