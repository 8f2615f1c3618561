import { valueRows } from './values-table.ts';

/** `charts/lastframe/README.md`, made from values.yaml. */
export function chartReadme(valuesYaml: string): string {
  const rows = valueRows(valuesYaml).map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${meaning} | \`${fallback}\` |`,
  );
  return `# The Lastframe chart

api, worker and Redis for Kubernetes 1.30 or newer, by Helm 4. How to install, scale, upgrade and back up: docs/operations.md in the repository.

\`\`\`sh
helm install lastframe charts/lastframe --namespace lastframe --create-namespace --set image.repository=registry.example.com/lastframe --set 'config.ALLOWED_SOURCES=https://cams.example.com/*'
helm test lastframe --namespace lastframe --logs
\`\`\`

\`ci/demo-values.yaml\` is what \`make k3s\` installs, \`ci/production-values.yaml\` an example with everything that is off by default. Values that the chart doesn't know, of the wrong type, or that contradict each other are refused with a sentence.

## Values

Written by \`npm run docs\` from values.yaml.

| value | meaning | default |
|---|---|---|
${rows.join('\n')}
`;
}
