import type { Attack, Targets } from './attack.ts';
import { digestChallenges } from './digest-challenges.ts';
import { escapedPaths } from './escaped-paths.ts';
import { hostileBodies } from './hostile-bodies.ts';
import { longHeaders } from './long-headers.ts';
import { madeUpCameras } from './made-up-cameras.ts';
import { malformedRecords } from './malformed-records.ts';
import { manySlashes } from './many-slashes.ts';
import { attackNames } from './names.ts';
import { oddRequests } from './odd-requests.ts';
import { serversThatSpeakFirst } from './servers-that-speak-first.ts';
import { slowHeads } from './slow-heads.ts';
import { slowReaders } from './slow-readers.ts';
import { streamExhaustion } from './stream-exhaustion.ts';

/** The attackers' process: runs all of `ATTACKS` at once until SIGTERM. */
const attacks: Record<(typeof attackNames)[number], Attack> = {
  'servers-that-speak-first': serversThatSpeakFirst,
  'made-up-cameras': madeUpCameras,
  'long-headers': longHeaders,
  'many-slashes': manySlashes,
  'digest-challenges': digestChallenges,
  'slow-readers': slowReaders,
  'malformed-records': malformedRecords,
  'escaped-paths': escapedPaths,
  'odd-requests': oddRequests,
  'slow-heads': slowHeads,
  'hostile-bodies': hostileBodies,
  'stream-exhaustion': streamExhaustion,
};

const targets = JSON.parse(process.env.TARGETS ?? '{}') as Targets;
const selectedNames = (process.env.ATTACKS ?? '').split(',');
const outcomes: Record<string, Record<string, number>> = {};
for (const name of attackNames) {
  if (!selectedNames.includes(name)) continue;
  const counts: Record<string, number> = {};
  outcomes[name] = counts;
  attacks[name](targets, (outcome) => {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  });
}
process.once('SIGTERM', () => {
  const cpu = process.cpuUsage();
  const cpuS = (cpu.user + cpu.system) / 1e6;
  console.log(JSON.stringify({ msg: 'attacks ended', outcomes, cpuS }));
  process.exit(0);
});
console.log(JSON.stringify({ msg: 'listening' }));
