import { describe, expect, it } from 'vitest';
import { allMetrics, knownLabels } from './metric-definitions.ts';

const UNITS = /_(seconds|bytes)(_total)?$/;
const OTHER_UNITS = /_(ms|millis|milliseconds|minutes|hours|kb|kib|mb|mib|kilobytes|percent)(_|$)/;

describe('every metric', () => {
  const namesOf = (metrics: typeof allMetrics) => metrics.map(({ name }) => name);

  it('is in snake case, begins with lastframe_ and uses no units but seconds and bytes', () => {
    const bad = allMetrics.filter(
      ({ name }) => !/^lastframe(_[a-z]+)+$/.test(name) || OTHER_UNITS.test(name),
    );
    expect(namesOf(bad)).toEqual([]);
  });

  it('ends with _total if and only if it is a counter', () => {
    const bad = allMetrics.filter(
      ({ name, type }) => name.endsWith('_total') !== (type === 'counter'),
    );
    expect(namesOf(bad)).toEqual([]);
  });

  it('has a help text that is a sentence', () => {
    expect(namesOf(allMetrics.filter(({ help }) => !/^[A-Z].{15,}\.$/.test(help)))).toEqual([]);
  });

  it('names its unit if it is a histogram, and has ascending buckets', () => {
    const bad = allMetrics.filter(({ name, type, buckets }) =>
      type === 'histogram'
        ? !UNITS.test(name) || buckets?.join() !== buckets?.toSorted((a, b) => a - b).join()
        : buckets !== undefined,
    );
    expect(namesOf(bad)).toEqual([]);
  });

  it('has few labels, and none whose values a camera controls', () => {
    const bad = allMetrics.filter(({ labels }) => {
      const names = Object.keys(labels);
      return names.length > 3 || /url|camera|id\b|etag|path|host|reason/.test(names.join(' '));
    });
    expect(namesOf(bad)).toEqual([]);
  });
});

describe('labels known in advance', () => {
  it('are every combination of the listed values', () => {
    expect(knownLabels('lastframe_jobs_added_total')).toEqual([
      { outcome: 'added' },
      { outcome: 'failed' },
    ]);
    expect(knownLabels('lastframe_demand_raised_total')).toEqual([{}]);
  });

  it('are empty if a label has no listed values, unless its value is given', () => {
    expect(knownLabels('lastframe_upstream_calls_total')).toEqual([]);
    expect(knownLabels('lastframe_upstream_calls_total', { source: 'a' })).toContainEqual({
      source: 'a',
      outcome: 'captured',
    });
  });
});
