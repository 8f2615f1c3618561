import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { alertRules, shortenedRules } from './alert-rules.ts';
import { unknownSelectors } from './selectors.ts';

const REPO = join(import.meta.dirname, '../..');
const names = alertRules.map(({ alert }) => alert);
const runbook = readFileSync(join(REPO, 'docs/alerts.md'), 'utf8');

it('every alert has a severity, a summary, a description and a link to its runbook', () => {
  for (const { alert, labels, annotations } of alertRules) {
    expect(['critical', 'warning', 'info'], alert).toContain(labels.severity);
    expect(annotations.summary, alert).toMatch(/^[A-Z].{10,}[^.]$/);
    expect(annotations.description, alert).toMatch(/.{30,}\.$/s);
    expect(annotations.runbook_url).toMatch(
      new RegExp(`/docs/alerts\\.md#${alert.toLowerCase()}$`),
    );
  }
});

it('docs/alerts.md has a section for each alert, in the same order', () => {
  const sections = [...runbook.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(sections).toEqual(names);
});

it('every link within docs/alerts.md leads to an alert', () => {
  const links = [...runbook.matchAll(/\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  const anchors = names.map((name) => name.toLowerCase());
  expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([]);
});

it('no alert uses a metric, label or value that no process exports', () => {
  expect(alertRules.flatMap(({ expr }) => unknownSelectors(expr))).toEqual([]);
});

it('every alert is triggered by a fault in one of the tests here', () => {
  const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.e2e.test.ts'));
  const text = tests.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join();
  expect(names.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});

it('the rules in the tests differ from the real ones only in their times', () => {
  const times = /\d+(ms|s|m|h)\b/g;
  const real = shortenedRules(1);
  const short = shortenedRules(120);
  expect(short).toContain('rate(lastframe_requests_total[2500ms])');
  expect(short).toContain('for: 500ms');
  expect(short.replaceAll(times, '')).toBe(real.replaceAll(times, ''));
});
