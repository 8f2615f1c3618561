import { allMetrics } from '@lastframe/shared/telemetry/metric-definitions';

/** `docs/metrics.md`, made from the table that the processes themselves use. */
export function metricsPage(): string {
  const rows = allMetrics.map(({ name, type, who, help, labels, buckets }) => {
    const words = Object.entries(labels).map(([label, values]) => {
      const said = typeof values === 'string' ? values : values.map((v) => `\`${v}\``).join(' ');
      return `\`${label}\`: ${said}`;
    });
    const upTo = buckets ? `<br>buckets: ${buckets.join(', ')}` : '';
    return `| \`${name}\` | ${type} | ${who.join(', ')} | ${help}${upTo} | ${words.join('<br>')} |`;
  });
  return `# Metrics

Every api and worker process serves \`GET /metrics\` on its ops port, in Prometheus's text format. Written by \`npm run docs\` from \`shared/src/telemetry/metric-definitions.ts\`.

Units are seconds and bytes. Labels are bounded: no metric has a camera's URL, id or name, and a flood of cameras adds no series. Series whose labels are known beforehand exist from the start with 0, so that \`rate()\` sees the first event. When a source leaves the rules, its series leave too.

Beside these there are the usual \`process_…\` and \`nodejs_…\` metrics of prom-client. They carry no name of ours; join them to \`lastframe_build_info\` by \`job\` and \`instance\`.

\`charts/lastframe/files/dashboard.json\` is a Grafana dashboard of all this, \`charts/lastframe/files/alerts.yaml\` holds [alerting rules](alerts.md).

| metric | type | process | meaning | labels |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
