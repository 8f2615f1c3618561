/** Returns the metrics of all these processes as one text. */
export async function metricsOf(processes: readonly { opsUrl: string }[]): Promise<string> {
  const texts = processes.map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text());
  return (await Promise.all(texts)).join('\n');
}

/** Returns a metric's values, one for each process and combination of labels. */
export function metricValues(metrics: string, name: string, label = ''): number[] {
  const lines = metrics.split('\n').filter((line) => /^\w+/.exec(line)?.[0] === name);
  const labelled = lines.filter((line) => line.includes(label));
  return labelled.map((line) => Number(line.slice(line.lastIndexOf(' '))));
}

/**
 * Returns the sum over processes and labels; 0 if the metric is missing.
 * @param label only series with this one, such as `outcome="failed"`
 */
export function metricTotal(metrics: string, name: string, label?: string): number {
  return metricValues(metrics, name, label).reduce((total, value) => total + value, 0);
}
