import { type GroupOutcome, INTERVAL_MS, type Outcome } from './run-suite.ts';
import { SUITE_VERSION } from './suite.ts';

export const PAGE = new URL('../../docs/http-cache-tests.md', import.meta.url);

/** The table for people, and the list that `passesOn` reads again. */
export function page(
  groups: GroupOutcome[],
  { version, date }: Record<'version' | 'date', string>,
) {
  const all = groups.flatMap(({ outcomes }) => outcomes);
  const count = (result: Outcome['result']) => all.filter((one) => one.result === result).length;
  return `# http-cache-tests

Written by \`make http-cache-tests\`, which runs the public suite [http-cache-tests](https://cache-tests.fyi) ${SUITE_VERSION} against Lastframe ${version} on Node ${process.versions.node}; last on ${date}.

**${count('pass')} pass, ${count('fail')} fail, ${count('not applicable')} are not applicable**, of ${all.length}.

The suite is for caches that stand in front of one origin and do as its headers say. Lastframe is asked for pictures by \`?url=\`, keeps an interval of its own (here ${INTERVAL_MS / 1000} s), serves what is stale at once while it fetches the next, and passes no header of a camera on. So much of the suite says nothing about it. What applies is run by the suite's own client and origin, with a real fleet between two adapters (\`e2e/http-cache/\`):

- The camera's side wraps what the suite's origin answers into a JPEG, whose comments hold the text and the end-to-end headers, and numbers the calls.
- The viewer's side unwraps it. Where the suite means its own text, it puts Lastframe's ETag for the suite's, dates as far from \`Last-Modified\`, and ranges of the JPEG for those of the text, in the form they came in. What the suite takes for granted (\`Cache-Control\`, \`Expires\` and so on, as sent by its origin) comes from the comments. \`Age\` and hop-by-hop headers are Lastframe's alone.
- Before the suite looks at what its origin was asked, the adapter gives a refresh in the background up to 4 s.
- The suite's client looks for unwanted headers as properties of its \`Headers\` object, where there never are any; the adapter puts them there too, so that those tests can fail.

\`check\` marks what the suite asks out of curiosity: there, fail means "no". \`optimal\` is what a cache may do, \`required\` what it must.

${groups.map(section).join('\n')}`;
}

function section({ name, outcomes }: GroupOutcome): string {
  const rows = outcomes.map(
    ({ id, kind, result, why }) => `| \`${id}\` | ${kind} | ${result} | ${cell(why)} |`,
  );
  return `## ${name}\n\n| id | kind | result | why |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(UUID, '<uuid>').replaceAll('\n', ' ');
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The ids that passed when this page was written. */
export function passesOn(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` \| \w+ \| pass \|/gm)].map(([, id = '']) => id);
}
