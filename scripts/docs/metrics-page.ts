import { allMetrics } from '@lastframe/shared/telemetry/metric-definitions';

/** Returns `docs/metrics.md`, generated from the definitions that the processes use. */
export function metricsPage(): string {
  const rows = allMetrics.map(({ name, type, processes, help, labels, buckets }) => {
    const labelTexts = Object.entries(labels).map(([label, values]) => {
      const text = typeof values === 'string' ? values : values.map((v) => `\`${v}\``).join(' ');
      return `\`${label}\`: ${text}`;
    });
    const bucketText = buckets ? `<br>buckets: ${buckets.join(', ')}` : '';
    return `| \`${name}\` | ${type} | ${processes.join(', ')} | ${help}${bucketText} | ${labelTexts.join('<br>')} |`;
  });
  return `# Metrics

Every api and worker process serves \`GET /metrics\` on its ops port, in Prometheus's text format. Written by \`npm run docs\` from \`shared/src/telemetry/metric-definitions.ts\`.

Units are seconds and bytes. Labels are bounded: no metric contains a camera's URL, ID or name, so a flood of cameras adds no series. Series whose labels are known in advance start at 0, so that \`rate()\` sees the first event. When a source is removed from the rules, so are its series.

There are also the usual \`process_…\` and \`nodejs_…\` metrics of prom-client. They have no Lastframe labels; join them to \`lastframe_build_info\` by \`job\` and \`instance\`.

\`charts/lastframe/files/dashboard.json\` is a Grafana dashboard for these metrics; \`charts/lastframe/files/alerts.yaml\` contains [alerting rules](alerts.md).

| metric | type | process | meaning | labels |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
