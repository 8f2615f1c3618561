import { allMetrics, SOURCE_LABEL } from '@lastframe/shared/telemetry/metric-definitions';
import { sectionsByProcess } from './sections.ts';

type Metric = (typeof allMetrics)[number];

/** Returns `docs/metrics.md`, generated from the definitions that the processes use. */
export function metricsPage(): string {
  return `# Metrics

Every process serves \`GET /metrics\` on its ops port, in Prometheus's text format. Written by \`npm run docs\` from \`shared/src/telemetry/metric-definitions.ts\`.

Units are seconds and bytes. Names ending in \`_total\` are counters, the others gauges unless marked. Labels are bounded: no metric contains a camera's URL, ID or name, so a flood of cameras adds no series. \`source\`: ${SOURCE_LABEL}. When a source is removed from the rules, so are its series. Series whose labels are known in advance start at 0, so that \`rate()\` sees the first event.

There are also the usual \`process_…\` and \`nodejs_…\` metrics of prom-client. They have no Lastframe labels; join them to \`lastframe_build_info\` by \`job\` and \`instance\`.

\`charts/lastframe/files/dashboard.json\` is a Grafana dashboard for these metrics; \`charts/lastframe/files/alerts.yaml\` contains [alerting rules](alerts.md).
${sectionsByProcess(allMetrics, ['metric', 'meaning and labels'], rowOf)}`;
}

function rowOf({ name, type, help, labels }: Metric): string[] {
  const labelTexts = Object.entries(labels).map(([label, values]) => {
    if (values === SOURCE_LABEL) return `\`${label}\``;
    const text = typeof values === 'string' ? values : values.map((v) => `\`${v}\``).join(' ');
    return `\`${label}\`: ${text}`;
  });
  const kind = type === 'histogram' ? ' (histogram)' : '';
  return [`\`${name}\`${kind}`, [help, ...labelTexts].join('<br>')];
}
