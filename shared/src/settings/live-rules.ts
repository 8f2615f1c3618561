import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeRules, type Rules, type RulesNow } from '../cameras/rules.ts';
import { contain } from '../process/contain.ts';
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { ConfigError, type Env, type FleetConfig } from './config.ts';
import { parseSourcesFile } from './sources-file.ts';

/** The rules in force, which follow `SOURCES_FILE`. A faulty file changes nothing. */
export interface LiveRules {
  now: RulesNow;
  /** Called after every change. */
  onChange(listener: (rules: Rules) => void): void;
  /** Reads the file again, changed or not. */
  reload(): void;
  close(): void;
}

export interface LiveRulesDeps {
  config: Pick<FleetConfig, 'sources' | 'sourcesFile' | 'sourceDefaults'>;
  /** What `${VAR}` in the file stands for. */
  env: Env;
  log: Log;
}

/** An editor, or a rollout, writes several times. */
const SETTLE_MS = 200;
/** Where no events come from, as network file systems or links that lead elsewhere. */
const LOOK_MS = 5000;

/** @throws ConfigError when the first reading finds faults */
export function openRules({ config, env, log }: LiveRulesDeps): LiveRules {
  const { sourcesFile: file, sources: further } = config;
  if (file === '') return fixedRules(makeRules(further), log);
  const listeners = new Set<(rules: Rules) => void>();
  let text = readText(file);
  let rules = rulesOf(text, { config, env });
  let refusal = '';

  const reload = (force: boolean) => {
    try {
      const now = readText(file);
      refusal = '';
      if (now === text && !force) return;
      text = now; // a faulty text is told once, not at every look
      rules = rulesOf(text, { config, env });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === refusal && !force) return; // nor is a missing file
      refusal = error.message;
      log.error({ faults: error.faults }, 'sources file refused; the rules before it go on');
      return;
    }
    const { sources, cameras } = rules;
    log.info({ sources: sources.length, cameras: cameras.size }, 'sources file read again');
    for (const listener of listeners) contain(() => listener(rules));
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
    reload: () => log.info('there is no SOURCES_FILE to read again'),
    close: () => {},
  };
}

function rulesOf(text: string, { config, env }: Omit<LiveRulesDeps, 'log'>): Rules {
  const { sourcesFile: file, sources: further, sourceDefaults: defaults } = config;
  const outcome = parseSourcesFile(text, {
    file,
    env,
    defaults,
    further,
    readCertificate: (path) => readFileSync(resolve(dirname(file), path), 'utf8'),
  });
  if (outcome.outcome === 'faulty') throw new ConfigError(outcome.faults);
  return makeRules([...outcome.sources, ...further], outcome.cameras);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`SOURCES_FILE: "${file}" can not be read (${messageOf(error)})`]);
  }
}

/**
 * Watches the folder: editors replace the file, and Kubernetes swaps a link beside it. A look now
 * and then finds what gives no event, or is hidden by the events of other files there.
 */
function watchFile(file: string, onChange: () => void, log: Log): () => void {
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const soon = () => {
    clearTimeout(settling);
    settling = setTimeout(onChange, SETTLE_MS);
  };
  try {
    watcher = watch(dirname(file), soon);
    watcher.on('error', (error) => log.warn({ reason: messageOf(error) }, 'folder not watched'));
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'folder not watched');
  }
  const looking = setInterval(onChange, LOOK_MS);
  return () => {
    clearTimeout(settling);
    clearInterval(looking);
    watcher?.close();
  };
}
