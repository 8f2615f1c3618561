import { valueRows } from './values-table.ts';

/** Returns `charts/lastframe/README.md`, generated from values.yaml. */
export function chartReadme(valuesYaml: string): string {
  const rows = valueRows(valuesYaml).map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${meaning} | \`${fallback}\` |`,
  );
  return `# The Lastframe chart

Installs api, worker and Redis on Kubernetes 1.30 or newer with Helm 4. docs/operations.md in the repository explains how to install, scale, upgrade and back up.

\`\`\`sh
helm install lastframe charts/lastframe --namespace lastframe --create-namespace --set image.repository=registry.example.com/lastframe --set 'config.ALLOWED_SOURCES=https://cams.example.com/*'
helm test lastframe --namespace lastframe --logs
\`\`\`

\`ci/demo-values.yaml\` is what \`make k3s\` installs; \`ci/production-values.yaml\` is an example that enables everything that is off by default. Unknown values, wrong types and contradictions are rejected with a sentence.

## Values

Written by \`npm run docs\` from values.yaml.

| value | meaning | default |
|---|---|---|
${rows.join('\n')}
`;
}
