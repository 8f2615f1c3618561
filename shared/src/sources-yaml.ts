import { LineCounter, parseDocument } from 'yaml';
import type { Env } from './config.ts';
import { messageOf } from './errors.ts';

/** Where in the file something stands. */
export type Path = readonly PropertyKey[];
/** Takes a fault and its place. */
export type Report = (path: Path, fault: string) => void;

/** The tree that a YAML text stands for; undefined, with its faults reported, if it stands for none. */
export function readYaml(text: string, report: Report): unknown {
  const lines = new LineCounter();
  // Without pretty errors and warnings: those quote the text, and what is in it may be secret.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  for (const { message, pos } of document.errors) {
    const { line, col } = lines.linePos(pos[0]);
    report([], `line ${line}, column ${col}: ${message.split('\n')[0]}`);
  }
  if (document.errors.length > 0) return undefined;
  try {
    const value = document.toJS({ maxAliasCount: 100 });
    if (isTree(value)) return value;
    report([], 'an alias stands within what it names; expected none that does');
  } catch (error) {
    report([], messageOf(error)); // an alias to nothing, or a bomb of them
  }
  return undefined;
}

/** False for what contains itself, as `&a [*a]` does: who follows that never ends. */
function isTree(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

/** Puts the environment into every string. `$${` stands for `${` itself. */
export function fillIn(value: unknown, env: Env, report: Report, path: Path = []): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\$\{|\$\{([^}]*)\}?/g, (spelled, name: string | undefined) => {
      if (name === undefined) return '${';
      if (!/^[A-Za-z_]\w*$/.test(name) || !spelled.endsWith('}')) {
        report(path, `"${spelled}" is no variable; expected \${NAME}, or $\${ for the text \${`);
      } else if (!env[name]) {
        report(path, `the environment variable ${name} is not set, or empty`);
      }
      return env[name] || 'x'; // one fault is enough
    });
  }
  if (Array.isArray(value)) return value.map((item, n) => fillIn(item, env, report, [...path, n]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillIn(item, env, report, [...path, key])]),
  );
}

/** What stands at a path, undefined where there is nothing. */
export function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return found;
}

/** A path as it is written in faults: `sources[0].match`. */
export function pathText(path: Path): string {
  return path
    .map((step, n) =>
      typeof step === 'number' ? `[${step}]` : `${n > 0 ? '.' : ''}${String(step)}`,
    )
    .join('');
}
