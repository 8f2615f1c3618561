import { variables } from '@lastframe/shared/settings/variables';

const OPS_PORTS = '9088 (api), 9089 (worker)';

/** Returns `docs/configuration.md`, generated from the variables that the processes read. */
export function configurationPage(): string {
  const rows = Object.entries(variables).map(
    ([name, { processes: readers, fallback, meaning, expected }]) => {
      const preset = name === 'OPS_PORT' ? OPS_PORTS : fallback;
      return `| \`${name}\` | ${readers.join(', ')} | ${preset ? `\`${preset}\`` : 'none'} | ${meaning} | ${expected} |`;
    },
  );
  return `# Configuration

Set environment variables. On startup, an invalid value makes the process list every error on stderr (the name, the value and what was expected) and exit with code 1. Unknown variables are ignored. Written by \`npm run docs\` from \`shared/src/settings/variables.ts\`.

| variable | process | default | meaning | expected |
|---|---|---|---|---|
${rows.join('\n')}

The slow server reads \`HOST\`, \`PORT\` (8888), \`DELAY\` (5s) and \`LOG_LEVEL\`.
`;
}
