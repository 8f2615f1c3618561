import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSourcesFile } from '@lastframe/shared/settings/sources-file';
import { variables } from '@lastframe/shared/settings/variables';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../testing/test-camera.ts';
import { anchorsOf, commandsOf, linksOf, type Snippet, snippetsOf } from './snippets/markdown.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md', 'charts/**/*.md'], { cwd: root });
const snippets = pages.flatMap((page) => snippetsOf(page, read(page)));
const shell = snippets.filter(({ language }) => language === 'sh');
const makeTargets = new Set([...read('Makefile').matchAll(/^([\w-]+):/gm)].map(([, name]) => name));
const npmScripts = Object.keys(JSON.parse(read('package.json')).scripts);

describe('every page', () => {
  it.each(pages)('%s has no broken links', (page) => {
    const broken = linksOf(read(page)).filter(({ path, anchor }) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('has a known language, or none for output, on every block', () => {
    const known = ['', 'sh', 'yaml', 'json', 'js', 'html', 'python', 'nginx', 'promql', 'acl'];
    expect(snippets.filter(({ language }) => !known.includes(language))).toEqual([]);
  });
});

describe('a command of a page', () => {
  it('exists in this repository, with its files and variables', () => {
    expect(shell.flatMap((snippet) => commandsOf(snippet).flatMap(faultOf(snippet)))).toEqual([]);
  });

  it('is found on more than two pages, or this test checks nothing', () => {
    expect(new Set(shell.map(({ file }) => file)).size).toBeGreaterThan(2);
  });
});

describe('a sources file of a page', () => {
  const files = snippets.filter(
    ({ language, text }) => language === 'yaml' && /^sources:/m.test(text),
  );

  it.each(files)('$file:$line is valid', ({ text }) => {
    const env = Object.fromEntries(
      [...text.matchAll(/\$\{(\w+)\}/g)].map(([, v = '']) => [v, 'x']),
    );
    const options = {
      file: 'sources.yaml',
      env,
      defaults: testDefaults,
      readCertificate: () => CERTIFICATE,
    };
    const outcome = parseSourcesFile(text, options);
    const faults = outcome.outcome === 'faulty' ? outcome.faults : [];
    expect(faults.filter((fault) => !/no certificate could be read/.test(fault))).toEqual([]);
  });
});

const CERTIFICATE = 'a file that the page names';

/** Shell builtins, and programs whose commands the end-to-end tests run. */
const PROGRAMS = ['export', 'cd', 'printf', 'curl', 'git', 'helm', 'kubectl', 'docker', 'openssl'];

function faultOf({ file }: Snippet): (command: string) => string[] {
  return (command) => {
    if (/^\w+=\$\(/.test(command)) return []; // a shell variable
    const words = command.split(/\s+/);
    const fault = (why: string) => [`${file}: "${command}": ${why}`];
    while (/^\w+=/.test(words[0] ?? '')) {
      const name = words.shift()?.split('=')[0] ?? '';
      if (words.length > 0 && !isVariable(name)) return fault(`no variable ${name} is known`);
    }
    const [program = '', first = ''] = words;
    if (program === '') return [];
    if (program === 'make') {
      const target = words.slice(1).find((word) => !word.includes('='));
      return target && makeTargets.has(target) ? [] : fault('no such target');
    }
    if (program === 'npm') {
      const script = first === 'run' ? words[2] : first;
      return script === 'ci' || npmScripts.includes(script ?? '') ? [] : fault('no such script');
    }
    if (program === 'node') return existsSync(join(root, first)) ? [] : fault('no such file');
    if (program === 'vitest') {
      const path = words.at(-1) ?? '';
      return globSync(`${path}*`, { cwd: root }).length > 0 ? [] : fault('no such test');
    }
    return PROGRAMS.includes(program) ? [] : fault('not a known program');
  };
}

function isVariable(name: string): boolean {
  const toolVariables = [
    'DURATION',
    'SEED',
    'CONNECTIONS',
    'MODEL_RUNS',
    'FUZZ_RUNS',
    'SLOW_PORT',
    'ATTACKS',
  ];
  const text = pages.map(read).join('\n');
  // A sources file on a page may read a secret from the environment.
  return name in variables || toolVariables.includes(name) || text.includes(`\${${name}}`);
}
