import { expect, it } from 'vitest';
import { dashboard, dashboardQueries, type Panel } from './dashboard.ts';
import { unknownSelectors } from './selectors.ts';

const { panels } = dashboard;
const charts = panels.filter(({ type }) => type !== 'row');

it('every panel has a unique id, a title and a description', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.filter(({ title }) => !title)).toEqual([]);
  expect(charts.filter(({ description }) => !description?.endsWith('.'))).toEqual([]);
});

it('every panel with numbers has a unit', () => {
  const without = charts.filter(
    ({ type, fieldConfig }) => type !== 'table' && !fieldConfig?.defaults.unit,
  );
  expect(without.map(({ title }) => title)).toEqual([]);
});

it('no panels overlap, and none leaves the page', () => {
  const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel) =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const bad = panels.filter(
    (panel, n) =>
      panel.gridPos.x + panel.gridPos.w > 24 ||
      panels.slice(n + 1).some((other) => overlap(panel, other)),
  );
  expect(bad.map(({ title }) => title)).toEqual([]);
});

it('every query uses the selected data source and namespace', () => {
  const targets = charts.flatMap(({ targets = [] }) => targets);
  const sources = new Set(targets.map(({ datasource }) => datasource.uid));
  expect([...sources]).toEqual([['$', '{datasource}'].join('')]);
  const anywhere = /(lastframe|process)_\w+\b(?!\{namespace=~"\$namespace")/;
  expect(targets.filter(({ expr }) => anywhere.test(expr)).map(({ expr }) => expr)).toEqual([]);
});

it('no panel uses a metric, label or value that no process exports', () => {
  expect(dashboardQueries('1m').flatMap(({ query }) => unknownSelectors(query))).toEqual([]);
});
