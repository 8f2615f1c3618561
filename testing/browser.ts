import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ON_MACOS = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** The browser of the machine, which `scripts/setup --with-tests` installs; or what CHROMIUM says. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: chromiumPath(),
    // Its sandbox needs what containers lack; it only sees our own pages here.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

function chromiumPath(): string {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(delimiter).filter(Boolean);
  const places = [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ON_MACOS,
  ];
  const found = places.find(isProgram);
  if (!found)
    throw new Error('no Chromium on PATH: run `scripts/setup --with-tests`, or set CHROMIUM');
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A page of a person's own, and what it did that a person would not see. */
export interface WatchedPage {
  page: Page;
  /** What its console and its scripts complained about. */
  complaints: string[];
  /** Each request, by URL. */
  requested: string[];
  /** Those of them that never left, because the page's own policy forbids them. */
  forbidden: string[];
  close(): Promise<void>;
}

export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<WatchedPage> {
  const context: BrowserContext = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const forbidden: string[] = [];
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText === 'csp') forbidden.push(request.url());
  });
  page.on('request', (request) => requested.push(request.url()));
  return { page, complaints, requested, forbidden, close: () => context.close() };
}
