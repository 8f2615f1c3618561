import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { messageOf } from '../process/errors.ts';
import type { Env } from './config.ts';

/** A position in the file. */
export type Path = readonly PropertyKey[];
/** Reports a fault at a position. */
export type Report = (path: Path, fault: string) => void;

const MAX_LENGTH = 1024 ** 2;
const MAX_ALIASES = 100;

/** Parses YAML into a tree. Reports the faults of an invalid text and returns `undefined`. */
export function readYaml(text: string, report: Report): unknown {
  if (text.length > MAX_LENGTH) {
    report([], `it has ${text.length} characters; expected at most ${MAX_LENGTH}`);
    return undefined;
  }
  const lines = new LineCounter();
  // Without pretty errors and warnings: they quote the text, which may contain secrets.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    uniqueKeys: false, // its check takes quadratic time
  });
  for (const { message, pos } of document.errors) {
    const { line, col } = lines.linePos(pos[0]);
    const fault = isTooDeep(message) ? 'it is nested too deeply here' : message.split('\n')[0];
    report([], `line ${line}, column ${col}: ${fault}`);
  }
  if (document.errors.length > 0) return undefined;
  try {
    if (!isSound(document, lines, report)) return undefined;
    const value = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (isTree(value)) return value;
    report([], 'an alias is inside the node that it refers to; remove it');
  } catch (error) {
    const message = messageOf(error); // an unresolved alias, or an alias bomb
    report([], isTooDeep(message) ? 'it is nested too deeply' : message);
  }
  return undefined;
}

/** Reports duplicate keys, and more aliases than can be resolved quickly. */
function isSound(document: Document, lines: LineCounter, report: Report): boolean {
  let aliases = 0;
  let isSoundSoFar = true;
  visit(document, {
    Alias: () => {
      aliases += 1;
    },
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) {
          const { line, col } = lines.linePos(isNode(key) ? (key.range?.[0] ?? 0) : 0);
          report([], `line ${line}, column ${col}: this key appears twice`);
          isSoundSoFar = false;
        }
        seen.add(name);
      }
    },
  });
  if (aliases <= MAX_ALIASES) return isSoundSoFar;
  report([], `it has ${aliases} aliases; expected at most ${MAX_ALIASES}`);
  return false;
}

function isTooDeep(message: string): boolean {
  return message.includes('call stack');
}

/** Returns false for a value that contains itself, like `&a [*a]`: walking it would never end. */
function isTree(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

/** Replaces `${VAR}` in every string by the environment; `$${` stands for `${` itself. */
export function fillInVariables(
  value: unknown,
  env: Env,
  report: Report,
  path: Path = [],
): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\$\{|\$\{([^}]*)\}?/g, (spelled, name: string | undefined) => {
      if (name === undefined) return '${';
      if (!/^[A-Za-z_]\w*$/.test(name) || !spelled.endsWith('}')) {
        report(path, `"${spelled}" is not a variable; expected \${NAME}, or $\${ for the text \${`);
      } else if (!env[name]) {
        report(path, `the environment variable ${name} is not set, or empty`);
      }
      return env[name] || 'x'; // one fault is enough
    });
  }
  if (Array.isArray(value))
    return value.map((item, n) => fillInVariables(item, env, report, [...path, n]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      fillInVariables(item, env, report, [...path, key]),
    ]),
  );
}

/** Returns the value at a path, or `undefined`. */
export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return found;
}

/** Formats a path for faults: `sources[0].match`. */
export function pathText(path: Path): string {
  return path
    .map((step, n) =>
      typeof step === 'number' ? `[${step}]` : `${n > 0 ? '.' : ''}${String(step)}`,
    )
    .join('');
}
