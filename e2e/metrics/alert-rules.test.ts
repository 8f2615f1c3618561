import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { alertRules, shortenedRules } from './alert-rules.ts';
import { unknownSelectors } from './selectors.ts';

const REPO = join(import.meta.dirname, '../..');
const names = alertRules.map(({ alert }) => alert);
const runbook = readFileSync(join(REPO, 'docs/alerts.md'), 'utf8');

it('every alert says how bad it is, what it means, and where more is to be read', () => {
  for (const { alert, labels, annotations } of alertRules) {
    expect(['critical', 'warning', 'info'], alert).toContain(labels.severity);
    expect(annotations.summary, alert).toMatch(/^[A-Z].{10,}[^.]$/);
    expect(annotations.description, alert).toMatch(/.{30,}\.$/s);
    expect(annotations.runbook_url).toMatch(
      new RegExp(`/docs/alerts\\.md#${alert.toLowerCase()}$`),
    );
  }
});

it('docs/alerts.md has a section for each alert, in their order', () => {
  const sections = [...runbook.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(sections).toEqual(names);
});

it('every link within docs/alerts.md leads to an alert', () => {
  const links = [...runbook.matchAll(/\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  const anchors = names.map((name) => name.toLowerCase());
  expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([]);
});

it('no alert asks for a metric, label or value that no process has', () => {
  expect(alertRules.flatMap(({ expr }) => unknownSelectors(expr))).toEqual([]);
});

it('every alert is made to fire by a fault in one of the tests here', () => {
  const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.e2e.test.ts'));
  const text = tests.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join();
  expect(names.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});

it('the rules of the tests differ from the real ones in their times only', () => {
  const times = /\d+(ms|s|m|h)\b/g;
  const real = shortenedRules(1);
  const short = shortenedRules(120);
  expect(short).toContain('rate(lastframe_requests_total[2500ms])');
  expect(short).toContain('for: 500ms');
  expect(short.replaceAll(times, '')).toBe(real.replaceAll(times, ''));
});
