import { variables } from '@lastframe/shared/settings/variables';

const OPS_PORTS = '9088 (api), 9089 (worker)';

/** `docs/configuration.md`, made from what the processes themselves read. */
export function configurationPage(): string {
  const rows = Object.entries(variables).map(
    ([name, { processes: who, fallback, meaning, expected }]) => {
      const usual = name === 'OPS_PORT' ? OPS_PORTS : fallback;
      return `| \`${name}\` | ${who.join(', ')} | ${usual ? `\`${usual}\`` : 'none'} | ${meaning} | ${expected} |`;
    },
  );
  return `# Configuration

By environment. A bad value stops the process at start with exit code 1 and every fault on stderr: its name, what was given, what is expected. Unknown variables are ignored. Written by \`npm run docs\` from \`shared/src/settings/variables.ts\`.

| variable | who | default | meaning | expected |
|---|---|---|---|---|
${rows.join('\n')}

The slow server reads \`HOST\`, \`PORT\` (8888), \`DELAY\` (5s) and \`LOG_LEVEL\`.
`;
}
