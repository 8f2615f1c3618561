import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCalls } from '../../testing/checker.ts';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { CAUSES, whyNotApplicable } from './applicable.ts';
import { type CameraSide, FRESH, startCameraSide } from './camera-side.ts';
import { startOrigin } from './origin.ts';
import type { Suite, SuiteTest, TestGroup } from './suite.ts';
import { viewerSide } from './viewer-side.ts';

export interface Outcome {
  id: string;
  name: string;
  kind: string;
  result: 'pass' | 'fail' | 'not applicable';
  why: string;
}

export interface GroupOutcome {
  name: string;
  outcomes: Outcome[];
}

/** Under the three seconds for which the suite waits for something to become stale. */
export const INTERVAL_MS = 2000;

/** Client, origin and camera are one process, and the tests wait for each other in it. */
const AT_ONCE = 20;

/** Runs what applies by the suite's own client, against a fleet between the two adapters. */
export async function runSuite(
  suite: Suite,
  isChosen: (test: SuiteTest) => boolean = () => true,
): Promise<GroupOutcome[]> {
  const origin = await startOrigin(suite);
  const camera = await startCameraSide(origin.url);
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  let fleet: Fleet | undefined;
  try {
    writeFileSync(join(folder, 'sources.yaml'), sourcesFile(camera.url));
    const env = { SOURCES_FILE: join(folder, 'sources.yaml') };
    fleet = await startFleet({ intervalMs: INTERVAL_MS, env });
    const fetchThroughFleet = viewerSide(
      {
        apiUrl: fleet.apis[0]?.url ?? '',
        originUrl: origin.url,
        cameraUrl: camera.url,
        // A call that has ended is one that the origin has noted.
        callsFor: (test) =>
          camera.calls.filter((call) => call.name === test && call.endMs !== null).length,
      },
      suite,
    );
    const groups = applicable(suite.groups).map((group) => ({
      ...group,
      tests: group.tests.filter(isChosen),
    }));
    await suite.runTests(groups, fetchThroughFleet, false, origin.url, AT_ONCE);
    judgeTheGuarantee(camera);
  } finally {
    await fleet?.stop();
    camera.close();
    origin.close();
    rmSync(folder, { recursive: true });
  }
  const results = suite.getResults();
  return suite.groups.map((group) => ({
    name: group.name,
    outcomes: group.tests.map((test) => outcomeOf(group, test, results[test.id])),
  }));
}

/** Somebody who has asked is given newer frames by themselves: what must stay is given a longer interval. */
const sourcesFile = (cameraUrl: string) => `
sources:
  - { name: fresh, match: "${cameraUrl}${FRESH}/*", interval: 1m }
  - { name: brief, match: "${cameraUrl}/*" }
`;

function applicable(groups: TestGroup[]): TestGroup[] {
  return groups.map((group) => ({
    ...group,
    tests: group.tests.filter((test) => whyNotApplicable(group, test) === undefined),
  }));
}

/** Whatever the suite asks for, a camera is called at most once per interval. */
function judgeTheGuarantee({ calls, pauses }: CameraSide): void {
  // A test with several query strings has several cameras.
  const byCamera = calls.map((call) => ({ ...call, name: call.url }));
  const { breaches } = checkCalls(byCamera, INTERVAL_MS, pauses.all());
  if (breaches.length > 0) throw new Error(`breaches:\n${breaches.join('\n')}`);
}

function outcomeOf(
  group: TestGroup,
  test: SuiteTest,
  result: ReturnType<Suite['getResults']>[string] | undefined,
): Outcome {
  const { id, name, kind = 'required' } = test;
  const reason = whyNotApplicable(group, test);
  if (reason !== undefined) return { id, name, kind, result: 'not applicable', why: reason };
  if (result === true) return { id, name, kind, result: 'pass', why: '' };
  const [, message] = result ?? ['', 'the suite has no result'];
  return { id, name, kind, result: 'fail', why: [message, CAUSES[id]].filter(Boolean).join('; ') };
}
