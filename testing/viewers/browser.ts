import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ON_MACOS = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** Starts `CHROMIUM`, or the browser on PATH that `scripts/setup --with-tests` installs. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: chromiumPath(),
    // The sandbox doesn't work in containers, and only our own pages are opened.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

function chromiumPath(): string {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(delimiter).filter(Boolean);
  const candidates = [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ON_MACOS,
  ];
  const found = candidates.find(isProgram);
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

/** A page in a browser context of its own, with a record of what it did unseen. */
export interface WatchedPage {
  page: Page;
  /** Errors and warnings of its console and scripts. */
  complaints: string[];
  /** The URL of each request. */
  requested: string[];
  /** The requests that the page's own Content-Security-Policy blocked. */
  blockedRequests: string[];
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
  const blockedRequests: string[] = [];
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText === 'csp') blockedRequests.push(request.url());
  });
  page.on('request', (request) => requested.push(request.url()));
  return { page, complaints, requested, blockedRequests, close: () => context.close() };
}
