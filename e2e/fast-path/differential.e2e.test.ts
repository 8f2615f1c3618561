import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchPlainRequest } from '../../api/src/fast-path/plain-request.ts';
import { printMeasurements } from '../../testing/checks/report.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';
import { type Chunks, exchange, LAST_PATH, type Timing } from './exchange.ts';
import { type KnownTargets, oddRequests } from './odd-requests.ts';

const HOST = 'localhost';
const AT_ONCE = 40;
/** A late response, or a close with data in flight, looks like a difference: retry more slowly. */
const PATIENCE: readonly Timing[] = [
  { gapMs: 2, quietMs: 400 },
  { gapMs: 50, quietMs: 2000 },
  { gapMs: 300, quietMs: 5000 },
];
const CASES = Number(process.env.FUZZ_RUNS ?? 2000);

let fleet: Fleet;
let folder: string;
let withFastPath: Api;
let without: Api;
let known: KnownTargets;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lastframe-fast-path-'));
  const file = join(folder, 'sources.yaml');
  await writeFile(file, '{}');
  // No frame is due again during the comparison.
  const env = { SOURCES_FILE: file, COLD_WAIT: '1s' };
  fleet = await startFleet({ apis: 0, intervalMs: 3_600_000, env });
  const camera = fleet.slow.camera('differential');
  const source = `{ name: slow, match: "${fleet.slow.url}/*" }`;
  await writeFile(file, `sources: [${source}]\ncameras: { north: { url: "${camera}" } }\n`);
  withFastPath = await fleet.startApi({ FRONT: 'true' });
  without = await fleet.startApi({ FRONT: 'false' });
  await warmUp([withFastPath.url, without.url], [camera]);
  const etag = (await withFastPath.image(camera)).headers.get('etag') ?? '';
  const targets = [`/images?url=${encodeURIComponent(camera)}`, '/cameras/north'];
  known = { host: HOST, targets, etag };
  // The fast path knows a target once the routes have served it.
  for (const target of targets) expect(await differenceOf([plain(target)])).toBeUndefined();
});

afterAll(async () => {
  await fleet.checkAndStop();
  await rm(folder, { recursive: true });
});

describe('a process with the fast path responds like one without', () => {
  it('to any bytes, in any chunks', async () => {
    let recognised = 0;
    const difference = async (chunks: Chunks) => {
      recognised += chunks.filter((chunk) => matchPlainRequest(chunk.toString('latin1'))).length;
      return await differenceOf(chunks);
    };
    const batches = fc.array(oddRequests(known), { minLength: AT_ONCE, maxLength: AT_ONCE });
    // The same cases every time, unless FUZZ_RUNS starts a search.
    const seed = process.env.FUZZ_RUNS ? Date.now() % 2 ** 31 : 1;
    printMeasurements('differential', { seed, cases: CASES });
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const found = await Promise.all(batch.map(difference));
        expect(found.filter(Boolean)).toEqual([]);
      }),
      { numRuns: Math.ceil(CASES / AT_ONCE), seed, endOnFailure: true },
    );
    printMeasurements('differential', { recognised });
    // Otherwise the two might agree only because the fast path was not used.
    expect(recognised).toBeGreaterThan(CASES / 4);
  });

  it('to a plain request cut in two at each of its bytes', async () => {
    const whole = plain(known.targets[0] ?? '', `If-None-Match: ${known.etag}\r\n`);
    const cuts = Array.from({ length: whole.length - 1 }, (_, n) => n + 1);
    for (let from = 0; from < cuts.length; from += AT_ONCE) {
      const found = cuts
        .slice(from, from + AT_ONCE)
        .map((at) => differenceOf([whole.subarray(0, at), whole.subarray(at)]));
      expect((await Promise.all(found)).filter(Boolean)).toEqual([]);
    }
  });

  it('to raw bytes in a target: alone, before and behind other requests, and cut in two', async () => {
    const [target = ''] = known.targets;
    const raw = [`${target}\xe9`, `${target}&x=\xc3\xa9`, `${target}&\xff`].map((text) =>
      plain(text),
    );
    const found = raw.flatMap((one) => [
      differenceOf([one]),
      differenceOf([one, one]),
      differenceOf([plain(target), one]),
      differenceOf([one, plain(target)]),
      differenceOf([Buffer.concat([one, plain(target)])]),
      differenceOf([Buffer.concat([plain(target), one])]),
      ...[1, 10, target.length + 2, target.length + 5, target.length + 12].map((at) =>
        differenceOf([one.subarray(0, at), one.subarray(at)]),
      ),
    ]);
    expect((await Promise.all(found)).filter(Boolean)).toEqual([]);
  });

  it('to many plain requests in one chunk, and in one chunk with a last one that is cut', async () => {
    const one = plain(known.targets[0] ?? '');
    const many = Buffer.concat(Array.from({ length: 50 }, () => one));
    expect(await differenceOf([many])).toBeUndefined();
    expect(
      await differenceOf([one, Buffer.concat([many, one.subarray(0, 20)]), one.subarray(20)]),
    ).toBeUndefined();
    expect(
      await differenceOf([one, one.subarray(0, 9), Buffer.concat([one.subarray(9), many])]),
    ).toBeUndefined();
  });
});

it('responses of different moments are compared without their times', async () => {
  const failing = fleet.slow.camera('failing', { status: '500' });
  for (const camera of [known.targets[0] ?? '', `/images?url=${encodeURIComponent(failing)}`]) {
    const send = () => exchange(portOf(without), [plain(camera)], { gapMs: 2, quietMs: 5000 });
    await send();
    const earlier = await send();
    await sleep(1100); // Age and Retry-After are in whole seconds
    expect(await send()).toBe(earlier);
  }
});

function portOf(api: Api): number {
  return Number(new URL(api.url).port);
}

function plain(target: string, more = ''): Buffer {
  return Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`, 'latin1');
}

/** Returns both responses, or undefined if they are the same. */
async function differenceOf(chunks: Chunks) {
  const send = (api: Api, patience: Timing) => exchange(portOf(api), chunks, patience);
  for (const [turn, patience] of PATIENCE.entries()) {
    const [fast, reference] = await Promise.all([
      send(withFastPath, patience),
      send(without, patience),
    ]);
    const sent = chunks.map((chunk) => chunk.toString('latin1'));
    if (fast === reference || areCutOff(sent.join(''), [fast, reference])) return undefined;
    if (turn === PATIENCE.length - 1) return { sent, fast, reference };
  }
  return undefined;
}

/**
 * Returns whether the responses differ only in where they were cut off. If a body is followed by
 * something that is not a request, earlier responses may be lost: Node sends them in between only
 * while its parser reads the socket itself, which it does not do with bytes that it was handed.
 */
function areCutOff(sent: string, answers: readonly [string, string]): boolean {
  const [shorter, longer] = answers.toSorted((a, b) => a.length - b.length) as [string, string];
  const hasBody = /^(Content-Length|Transfer-Encoding)/im.test(sent);
  return hasBody && longer.startsWith(shorter) && !longer.includes(LAST_PATH);
}
