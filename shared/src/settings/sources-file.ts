import { findCameraAsWritten, type NamedCamera } from '../cameras/rules.ts';
import type { Source, SourceDefaults } from '../cameras/source.ts';
import { messageOf } from '../process/errors.ts';
import type { Env } from './config.ts';
import { parsePart } from './sources-parts.ts';
import {
  cameraSchema,
  isName,
  NAME_EXPECTED,
  type SourceItem,
  sourceSchema,
  topSchema,
} from './sources-schema.ts';
import { readTls } from './sources-tls.ts';
import {
  fillInVariables,
  type Path,
  pathText,
  type Report,
  readYaml,
  valueAt,
} from './sources-yaml.ts';

export interface SourcesFile {
  sources: Source[];
  cameras: NamedCamera[];
}

export interface SourcesFileOptions {
  /** Its name, for faults. */
  file: string;
  /** Values for `${VAR}`. */
  env: Env;
  /** Settings of a source that does not set its own. */
  defaults: SourceDefaults;
  /** Sources after those of the file; a named camera may belong to one. */
  furtherSources?: readonly Source[];
  /** Returns the text of a certificate file, by its path as written. */
  readCertificate: (path: string) => string;
}

export type SourcesFileOutcome =
  | ({ outcome: 'read' } & SourcesFile)
  /** Every fault: file, path, expectation. None shows a value that may be secret. */
  | { outcome: 'faulty'; faults: string[] };

const MAX_FAULTS = 100;
const MAX_FAULT_LENGTH = 500;

/** Parses `SOURCES_FILE` into sources and named cameras, or returns all its faults. */
export function parseSourcesFile(text: string, options: SourcesFileOptions): SourcesFileOutcome {
  const faults: string[] = [];
  const report: Report = (path, fault) => {
    const where = pathText(path);
    const text = `${options.file}: ${where === '' ? '' : `${where}: `}${fault}`;
    if (faults.length < MAX_FAULTS) faults.push(shorten(text));
    else if (faults.length === MAX_FAULTS) faults.push(`${options.file}: there are more faults`);
  };
  const raw = readYaml(text, report);
  if (faults.length > 0) return { outcome: 'faulty', faults };
  const data = fillInVariables(raw, options.env, report);
  parsePart(topSchema, data, raw, [], report);
  const top = Object(data) as Record<string, unknown>;
  const list = Array.isArray(top.sources) ? top.sources : [];
  const sources = list.map((item, n) =>
    readSource(item, valueAt(raw, ['sources', n]), n, options, report),
  );
  reportRepeatedNames(list, report);
  const known = sources.filter((source) => source !== undefined);
  // A camera's source can only be determined once all sources are known.
  const all =
    known.length === list.length ? [...known, ...(options.furtherSources ?? [])] : undefined;
  const cameras = Object.entries(top.cameras ?? {}).map(([name, item]) =>
    readCamera(name, item, valueAt(raw, ['cameras', name]), all, report),
  );
  if (faults.length > 0) return { outcome: 'faulty', faults };
  return { outcome: 'read', sources: known, cameras: cameras.filter((c) => c !== undefined) };
}

function shorten(text: string): string {
  return text.length <= MAX_FAULT_LENGTH ? text : `${text.slice(0, MAX_FAULT_LENGTH)}…`;
}

function readSource(
  item: unknown,
  raw: unknown,
  n: number,
  options: SourcesFileOptions,
  report: Report,
): Source | undefined {
  const path = ['sources', n];
  const given = parsePart(sourceSchema, item, raw, path, report);
  if (!given) return undefined;
  const { defaults } = options;
  if (given.auth && Object.keys(given.headers ?? {}).some((h) => /^authorization$/i.test(h))) {
    report([...path, 'auth'], 'the headers contain Authorization too; expected only one of them');
  }
  const auth = authOf(given.auth);
  const tls = tlsOf(given.tls, [...path, 'tls', 'ca'], options, report);
  return {
    ...defaults,
    name: given.name,
    pattern: given.match,
    ...intervalsOf(given, [...path, 'maxInterval'], defaults, report),
    timeoutMs: given.timeout ?? defaults.timeoutMs,
    startAllowanceMs: given.startAllowance ?? defaults.startAllowanceMs,
    headers: given.headers ?? defaults.headers,
    query: given.query ?? defaults.query,
    redirects: given.redirects ?? defaults.redirects,
    cacheBusters: given.cacheBusters ?? defaults.cacheBusters,
    networks: given.networks ?? defaults.networks,
    maxFrameBytes: given.maxFrameSize ?? defaults.maxFrameBytes,
    acceptTruncated: given.acceptTruncated ?? defaults.acceptTruncated,
    conditional: given.conditional ?? defaults.conditional,
    placeholders: given.placeholders ?? defaults.placeholders,
    budget: {
      perSecond: given.budget?.perSecond ?? defaults.budget.perSecond,
      concurrency: given.budget?.concurrency ?? defaults.budget.concurrency,
    },
    staleForMs: given.staleFor ?? defaults.staleForMs,
    maxCameras: given.maxCameras ?? defaults.maxCameras,
    ...(given.frozenAfter !== undefined && { frozenAfterMs: given.frozenAfter }),
    ...(auth && { auth }),
    ...(tls && { tls }),
    ...(given.proxy && { proxy: given.proxy }),
  };
}

function intervalsOf(
  given: SourceItem,
  path: Path,
  defaults: Pick<Source, 'intervalMs' | 'staleForMs'>,
  report: Report,
): Pick<Source, 'intervalMs' | 'maxIntervalMs'> {
  const intervalMs = given.interval ?? defaults.intervalMs;
  const maxIntervalMs = given.maxInterval ?? intervalMs;
  if (maxIntervalMs < intervalMs) report(path, 'shorter than the interval; expected at least that');
  // The frame must not expire before the next call, or while that fails.
  const mostMs = (given.staleFor ?? defaults.staleForMs) / 2;
  if (given.maxInterval !== undefined && maxIntervalMs > mostMs) {
    report(path, 'longer than half of staleFor (STALE_FOR); expected at most that');
  }
  return { intervalMs, maxIntervalMs };
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
  try {
    return tls && readTls(tls, readCertificate);
  } catch (error) {
    report(path, `${messageOf(error)}; expected PEM text or the path of a PEM file`);
    return undefined;
  }
}

function readCamera(
  name: string,
  item: unknown,
  raw: unknown,
  sources: readonly Source[] | undefined,
  report: Report,
): NamedCamera | undefined {
  const path = ['cameras', name];
  if (!isName(name)) report(path, `the name is not safe in a URL; expected ${NAME_EXPECTED}`);
  const given = parsePart(cameraSchema, item, raw, path, report);
  if (!given || !sources) return undefined;
  try {
    const camera = { ...findCameraAsWritten(given.url.href, sources), name };
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
