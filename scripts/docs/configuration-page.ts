import { DURATION_FORM, SIZE_FORM } from '@lastframe/shared/settings/units';
import { variables } from '@lastframe/shared/settings/variables';
import { sectionsByProcess } from './sections.ts';

type Variable = (typeof variables)[keyof typeof variables];

const OPS_PORTS = '9088 (api), 9089 (worker)';

/** Returns `docs/configuration.md`, generated from the variables that the processes read. */
export function configurationPage(): string {
  const named = Object.entries(variables).map(([name, variable]) => ({ name, ...variable }));
  return `# Configuration

Set environment variables. On startup, an invalid value makes the process list every error on stderr (the name, the value and what was expected) and exit with code 1. Unknown variables are ignored. Written by \`npm run docs\` from \`shared/src/settings/variables.ts\`.

A duration is written like 500ms, 5s, 10m or 24h, a size like 512KiB, 8MiB or 1GiB. Text has no control characters.
${sectionsByProcess(named, ['variable', 'default', 'meaning, and what is expected'], rowOf)}
The slow server reads \`HOST\`, \`PORT\` (8888), \`DELAY\` (5s) and \`LOG_LEVEL\`.
`;
}

function rowOf({ name, fallback, meaning, expected }: Variable & { name: string }): string[] {
  const preset = name === 'OPS_PORT' ? OPS_PORTS : fallback;
  return [`\`${name}\``, preset ? `\`${preset}\`` : '', `${meaning}<br>${shortForm(expected)}`];
}

/** Leaves out what the page says once, for all rows. */
function shortForm(expected: string): string {
  return expected
    .replace(DURATION_FORM, 'a duration')
    .replace(SIZE_FORM, 'a size')
    .replace(' without control characters', '');
}
