import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** Returns `charts/lastframe/README.md`, generated from values.yaml. */
export function chartReadme(valuesYaml: string): string {
  const { contents } = parseDocument(valuesYaml);
  const rows = isMap(contents) ? rowsOf(contents, []) : [];
  return `# The Lastframe chart

Installs api, worker and Redis on Kubernetes 1.30 or newer with Helm 4. docs/operations.md in the repository explains how to install, scale, upgrade and back up.

\`\`\`sh
helm install lastframe charts/lastframe --namespace lastframe --create-namespace --set image.repository=registry.example.com/lastframe --set 'config.ALLOWED_SOURCES=https://cams.example.com/*'
helm test lastframe --namespace lastframe --logs
\`\`\`

\`ci/demo-values.yaml\` is what \`make k3s\` installs; \`ci/production-values.yaml\` is an example that enables almost everything that is off by default. Unknown values, wrong types and contradictions are rejected with an explanation.

## Values

Written by \`npm run docs\` from values.yaml.

| value | meaning | default |
|---|---|---|
${rows.join('\n')}
`;
}

/**
 * Returns a row for each commented key, which covers the keys below it.
 * @throws Error when a value has no row
 */
function rowsOf(map: YAMLMap, parents: readonly string[]): string[] {
  return map.items.flatMap((pair, index) => {
    const path = [...parents, String(pair.key)];
    const meaning = commentOf(pair, index === 0 ? map : undefined);
    if (meaning)
      return [`| \`${path.join('.')}\` | ${meaning} | \`${JSON.stringify(pair.value)}\` |`];
    if (isMap(pair.value)) return rowsOf(pair.value, path);
    throw new Error(`${path.join('.')} in values.yaml has no comment`);
  });
}

/** Returns a key's comment. The parser attributes that of the first key to the whole map. */
function commentOf({ key }: Pair, firstOf: YAMLMap | undefined): string | undefined {
  const comment = (isScalar(key) && key.commentBefore) || firstOf?.commentBefore;
  return comment?.split('\n').at(-1)?.trim();
}
