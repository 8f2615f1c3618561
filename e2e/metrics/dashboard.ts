import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../../charts/lastframe/files/dashboard.json');

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { expr: string; datasource: { uid: string } }[];
}

export const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as {
  title: string;
  uid: string;
  panels: Panel[];
};

/** Returns the queries of the dashboard as Grafana sends them for all namespaces. */
export function dashboardQueries(rateInterval: string): { title: string; query: string }[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', rateInterval),
    })),
  );
}
