import { X509Certificate } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseCameraUrl } from './camera.ts';
import type { Env } from './config.ts';
import { messageOf } from './errors.ts';
import type { NamedCamera } from './rules.ts';
import {
  findCamera,
  parseNetwork,
  parsePattern,
  type Source,
  type SourceDefaults,
} from './source.ts';
import { DURATION_FORM, parseDurationMs, parseSizeBytes, SIZE_FORM } from './units.ts';

export interface SourcesFile {
  sources: Source[];
  cameras: NamedCamera[];
}

export interface SourcesFileOptions {
  /** Its name, for faults. */
  file: string;
  /** What `${VAR}` stands for. */
  env: Env;
  /** What a source has that says nothing of its own. */
  defaults: SourceDefaults;
  /** Sources that come after those of the file: a named camera may live in one. */
  further?: readonly Source[];
  /** Gives the text of a certificate file, by its path as written. */
  readCertificate: (path: string) => string;
}

export type SourcesFileOutcome =
  | ({ outcome: 'read' } & SourcesFile)
  /** Every fault: file, path, expectation. None shows a value that may be secret. */
  | { outcome: 'faulty'; faults: string[] };

type Path = readonly PropertyKey[];
type Report = (path: Path, fault: string) => void;

/** `SOURCES_FILE` as sources and named cameras, or all that is wrong with it. */
export function parseSourcesFile(text: string, options: SourcesFileOptions): SourcesFileOutcome {
  const faults: string[] = [];
  const report: Report = (path, fault) => {
    const where = pathText(path);
    faults.push(`${options.file}: ${where === '' ? '' : `${where}: `}${fault}`);
  };
  const raw = readYaml(text, report);
  if (faults.length > 0) return { outcome: 'faulty', faults };
  const data = fillIn(raw, options.env, report);
  check(topSchema, data, raw, [], report);
  const top = Object(data) as Record<string, unknown>;
  const list = Array.isArray(top.sources) ? top.sources : [];
  const sources = list.map((item, n) =>
    readSource(item, at(raw, ['sources', n]), n, options, report),
  );
  reportRepeatedNames(list, report);
  const known = sources.filter((source) => source !== undefined);
  // Which source a camera has can only be told when all of them are known.
  const all = known.length === list.length ? [...known, ...(options.further ?? [])] : undefined;
  const cameras = Object.entries(top.cameras ?? {}).map(([name, item]) =>
    readCamera(name, item, at(raw, ['cameras', name]), all, report),
  );
  if (faults.length > 0) return { outcome: 'faulty', faults };
  return { outcome: 'read', sources: known, cameras: cameras.filter((c) => c !== undefined) };
}

function readYaml(text: string, report: Report): unknown {
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
function fillIn(value: unknown, env: Env, report: Report, path: Path = []): unknown {
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

/** A text that `parse` understands; it throws, or gives undefined, for others. */
function textOf<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string(expected).transform((text, context) => {
    let why = '';
    try {
      const value = parse(text);
      if (value !== undefined) return value;
    } catch (error) {
      why = ` (${messageOf(error)})`;
    }
    context.addIssue({ code: 'custom', message: `${expected}${why}` });
    return z.NEVER;
  });
}

const topSchema = z.strictObject(
  {
    sources: z.array(z.unknown(), 'a list of sources').optional(),
    cameras: z.record(z.string(), z.unknown(), 'a mapping of names to cameras').optional(),
  },
  'a mapping with sources and cameras',
);

const NAME_EXPECTED = 'letters, digits and . _ ~ -, at most 64, a letter or digit first';
const isName = (text: string) => /^[A-Za-z0-9][\w.~-]{0,63}$/.test(text);
const durationMs = textOf(DURATION_FORM, parseDurationMs);
const bound = (expected: string) => z.number(expected).positive(expected).max(1_000_000, expected);
const word = textOf('text without control characters', (text) =>
  /^[^\x00-\x1f\x7f]+$/.test(text) ? text : undefined,
);
const credentials = z.strictObject(
  // A colon would end the user name in basic auth.
  {
    username: textOf('a user name without a colon', (text) =>
      /^[^:\x00-\x1f\x7f]+$/.test(text) ? text : undefined,
    ),
    password: word,
  },
  'username and password',
);

const AUTH_EXPECTED = 'either basic or digest, each with username and password';
const TLS_EXPECTED = 'either ca (a certificate in PEM, or a file of them) or insecure: true';
/** What frames a request, or says where it goes, is not a source's to say. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|proxy-.*|via|accept-encoding|range|if-.*)$/i;

const headers = z
  .record(
    z.string(),
    z.string('a text; quote it if it is a number'),
    'a mapping of header names to texts',
  )
  .superRefine((all, context) => {
    for (const [name, value] of Object.entries(all)) {
      const message = headerFault(name, value);
      if (message) context.addIssue({ code: 'custom', path: [name], message });
    }
  });

function headerFault(name: string, value: string): string | undefined {
  if (OWN_HEADERS.test(name)) return 'a header that Lastframe does not set itself';
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return undefined;
  } catch {
    return 'a name and a text that HTTP allows in a header';
  }
}

const sourceSchema = z.strictObject(
  {
    name: textOf(NAME_EXPECTED, (text) => (isName(text) ? text : undefined)),
    match: textOf('a URL pattern like https://cams.example.com/*', parsePattern),
    interval: durationMs.optional(),
    timeout: durationMs.optional(),
    startAllowance: durationMs.optional(),
    headers: headers.optional(),
    query: z
      .union(
        [z.literal('keep'), z.literal('strip'), z.array(z.string().min(1)).min(1)],
        'keep, strip or a list of parameter names',
      )
      .optional(),
    networks: z
      .array(textOf('a network like 10.20.0.0/16 or ::1/128', parseNetwork), 'a list of networks')
      .optional(),
    maxFrameSize: textOf(SIZE_FORM, parseSizeBytes).optional(),
    budget: z
      .strictObject(
        {
          perSecond: bound('calls per second, more than 0').optional(),
          concurrency: bound('a whole number of calls, 1 or more')
            .int('a whole number of calls, 1 or more')
            .optional(),
        },
        'perSecond, concurrency or both',
      )
      .optional(),
    staleFor: durationMs.optional(),
    frozenAfter: durationMs.optional(),
    auth: z
      .strictObject(
        { basic: credentials.optional(), digest: credentials.optional() },
        AUTH_EXPECTED,
      )
      .refine(({ basic, digest }) => !basic !== !digest, AUTH_EXPECTED)
      .optional(),
    tls: z
      .strictObject(
        { ca: z.string(TLS_EXPECTED).optional(), insecure: z.boolean('true or false').optional() },
        TLS_EXPECTED,
      )
      .refine(({ ca, insecure }) => !ca !== !insecure, TLS_EXPECTED)
      .optional(),
  },
  'a source: name, match and what differs from the defaults',
);

type SourceItem = z.infer<typeof sourceSchema>;

function readSource(
  item: unknown,
  raw: unknown,
  n: number,
  options: SourcesFileOptions,
  report: Report,
): Source | undefined {
  const path = ['sources', n];
  const given = check(sourceSchema, item, raw, path, report);
  if (!given) return undefined;
  const { defaults } = options;
  if (given.auth && Object.keys(given.headers ?? {}).some((h) => /^authorization$/i.test(h))) {
    report([...path, 'auth'], 'there is a header Authorization too; expected one of both');
  }
  const { frozenAfterMs = undefined } = defaults;
  const frozen = given.frozenAfter ?? frozenAfterMs;
  const auth = authOf(given.auth);
  const tls = tlsOf(given.tls, [...path, 'tls', 'ca'], options, report);
  return {
    ...defaults,
    name: given.name,
    pattern: given.match,
    intervalMs: given.interval ?? defaults.intervalMs,
    timeoutMs: given.timeout ?? defaults.timeoutMs,
    startAllowanceMs: given.startAllowance ?? defaults.startAllowanceMs,
    headers: given.headers ?? defaults.headers,
    query: given.query ?? defaults.query,
    networks: given.networks ?? defaults.networks,
    maxFrameBytes: given.maxFrameSize ?? defaults.maxFrameBytes,
    budget: {
      perSecond: given.budget?.perSecond ?? defaults.budget.perSecond,
      concurrency: given.budget?.concurrency ?? defaults.budget.concurrency,
    },
    staleForMs: given.staleFor ?? defaults.staleForMs,
    ...(frozen !== undefined && { frozenAfterMs: frozen }),
    ...(auth && { auth }),
    ...(tls && { tls }),
  };
}

function authOf(auth: SourceItem['auth']): Source['auth'] {
  if (auth?.basic) return { scheme: 'basic', ...auth.basic };
  return auth?.digest && { scheme: 'digest', ...auth.digest };
}

function tlsOf(
  tls: SourceItem['tls'],
  path: Path,
  { readCertificate }: SourcesFileOptions,
  report: Report,
): Source['tls'] {
  if (!tls?.ca) return tls && { insecure: true };
  try {
    const ca = tls.ca.includes('-----BEGIN') ? tls.ca : readCertificate(tls.ca);
    new X509Certificate(ca);
    return { ca };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    report(path, `no certificate could be read (${code}); expected one in PEM, or a file of them`);
    return undefined;
  }
}

const cameraSchema = z.strictObject(
  {
    url: textOf('the URL of an image', parseCameraUrl),
    title: word.optional(),
    keepWarm: z.boolean('true or false').optional(),
  },
  'a camera: url, title and keepWarm',
);

function readCamera(
  name: string,
  item: unknown,
  raw: unknown,
  sources: readonly Source[] | undefined,
  report: Report,
): NamedCamera | undefined {
  const path = ['cameras', name];
  if (!isName(name)) report(path, `the name is not safe in a URL; expected ${NAME_EXPECTED}`);
  const given = check(cameraSchema, item, raw, path, report);
  if (!given || !sources) return undefined;
  try {
    const camera = { ...findCamera(given.url.href, sources), name };
    return { name, title: given.title ?? name, keepWarm: given.keepWarm ?? false, camera };
  } catch {
    report([...path, 'url'], 'no source matches it; expected one in sources or ALLOWED_SOURCES');
    return undefined;
  }
}

function reportRepeatedNames(list: readonly unknown[], report: Report): void {
  const seen = new Map<unknown, number>();
  for (const [n, item] of list.entries()) {
    const name = (item as { name?: unknown } | null)?.name;
    if (typeof name !== 'string') continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, n);
    else report(['sources', n, 'name'], `sources[${first}] has this name; expected another`);
  }
}

/** Checks one part, and reports what is wrong with it under its path in the file. */
function check<T extends z.ZodType>(
  schema: T,
  data: unknown,
  raw: unknown,
  base: Path,
  report: Report,
): z.infer<T> | undefined {
  const outcome = schema.safeParse(data);
  if (outcome.success) return outcome.data;
  for (const issue of outcome.error.issues) {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) report([...path, key], 'this key is not known');
    } else {
      report(path, `${givenText(path, at(raw, issue.path))}expected ${issue.message}`);
    }
  }
  return undefined;
}

const SHOWN =
  /^(name|match|interval|timeout|startAllowance|query|networks|maxFrameSize|budget|perSecond|concurrency|staleFor|frozenAfter|keepWarm|insecure)$/;

/** As it is written, before the environment was put in; and only where no secret belongs. */
function givenText(path: Path, raw: unknown): string {
  if (raw === undefined) return 'it is missing; ';
  const key = path.findLast((step) => typeof step === 'string') as string | undefined;
  if (!key || !SHOWN.test(key) || path.includes('headers') || path.includes('auth')) return '';
  if (typeof raw === 'object' || String(raw).length > 200 || String(raw).includes('@')) return '';
  return `"${String(raw)}" is given; `;
}

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return found;
}

function pathText(path: Path): string {
  return path
    .map((step, n) =>
      typeof step === 'number' ? `[${step}]` : `${n > 0 ? '.' : ''}${String(step)}`,
    )
    .join('');
}
