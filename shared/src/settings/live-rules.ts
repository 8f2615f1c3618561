import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeRules, type Rules, type RulesNow } from '../cameras/rules.ts';
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { runIsolated } from '../process/run-isolated.ts';
import { ConfigError, type Env, type FleetConfig } from './config.ts';
import { parseSourcesFile } from './sources-file.ts';

/** The current rules, reloaded when `SOURCES_FILE` changes. A faulty file changes nothing. */
export interface LiveRules {
  now: RulesNow;
  /** Called after every change. */
  onChange(listener: (rules: Rules) => void): void;
  /** Reloads the file, even if unchanged. */
  reload(): void;
  close(): void;
}

export interface LiveRulesDeps {
  config: Pick<FleetConfig, 'sources' | 'sourcesFile' | 'sourceDefaults'>;
  /** Values for `${VAR}` in the file. */
  env: Env;
  log: Log;
}

/** Editors and rollouts write several times. */
const SETTLE_MS = 200;
/** For changes without events, as on network file systems or behind symlinks to other folders. */
const POLL_MS = 5000;

/** @throws ConfigError if the first read finds faults */
export function openRules({ config, env, log }: LiveRulesDeps): LiveRules {
  const { sourcesFile: file, sources: furtherSources } = config;
  if (file === '') return fixedRules(makeRules(furtherSources), log);
  const listeners = new Set<(rules: Rules) => void>();
  let text = readText(file);
  let rules = rulesOf(text, { config, env });
  let loggedFault = '';

  const reload = (force: boolean) => {
    try {
      const now = readText(file);
      loggedFault = '';
      if (now === text && !force) return;
      text = now; // logs a faulty text once, not on every poll
      rules = rulesOf(text, { config, env });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === loggedFault && !force) return; // a missing file likewise
      loggedFault = error.message;
      log.error({ faults: error.faults }, 'sources file rejected; keeping the previous rules');
      return;
    }
    const { sources, cameras } = rules;
    log.info({ sources: sources.length, cameras: cameras.size }, 'sources file reloaded');
    for (const listener of listeners) runIsolated(() => listener(rules));
  };
  const stop = watchFile(file, () => reload(false), log);
  return {
    now: () => rules,
    onChange: (listener) => void listeners.add(listener),
    reload: () => reload(true),
    close: stop,
  };
}

function fixedRules(rules: Rules, log: Log): LiveRules {
  return {
    now: () => rules,
    onChange: () => {},
    reload: () => log.info('SOURCES_FILE is not set; nothing to reload'),
    close: () => {},
  };
}

function rulesOf(text: string, { config, env }: Omit<LiveRulesDeps, 'log'>): Rules {
  const { sourcesFile: file, sources: furtherSources, sourceDefaults: defaults } = config;
  const outcome = parseSourcesFile(text, {
    file,
    env,
    defaults,
    furtherSources,
    readCertificate: (path) => readFileSync(resolve(dirname(file), path), 'utf8'),
  });
  if (outcome.outcome === 'faulty') throw new ConfigError(outcome.faults);
  return makeRules([...outcome.sources, ...furtherSources], outcome.cameras);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`SOURCES_FILE: "${file}" cannot be read (${messageOf(error)})`]);
  }
}

/**
 * Watches the folder, because editors replace the file and Kubernetes swaps a symlink beside it.
 * Polling finds changes that cause no event, or that events of other files there keep postponing.
 */
function watchFile(file: string, onChange: () => void, log: Log): () => void {
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const onEvent = () => {
    clearTimeout(settling);
    settling = setTimeout(onChange, SETTLE_MS);
  };
  const onFault = (error: unknown) => {
    const reason = messageOf(error);
    log.warn({ reason }, 'cannot watch the folder of SOURCES_FILE; polling it instead');
  };
  try {
    watcher = watch(dirname(file), onEvent).on('error', onFault);
  } catch (error) {
    onFault(error);
  }
  const pollTimer = setInterval(onChange, POLL_MS);
  return () => {
    clearTimeout(settling);
    clearInterval(pollTimer);
    watcher?.close();
  };
}
