import { randomBytes } from 'node:crypto';
import type { Reply } from './lua-script.ts';

interface Entry {
  text?: string;
  scores?: Map<string, number>;
  /** By this Redis's own clock. */
  endsAtMs?: number | undefined;
}

/** A modelled Redis, complete enough for the permit's scripts. */
export interface SimRedis {
  command(args: string[]): Reply;
  /** Starts a new process, with the data or empty. */
  restart(keepData: boolean): void;
  flush(): void;
  /** Steps its wall clock. */
  stepClock(byMs: number): void;
  /** Returns a copy of the data, which a replica keeps until it is promoted. */
  snapshot(): ReadonlyMap<string, Entry>;
  promote(dataset: ReadonlyMap<string, Entry>, clockOffsetMs: number): void;
  setReplicas(connected: number): void;
  /** Refuses writes, as min-replicas-to-write does without a replica that is close enough. */
  refuseWrites(refuse: boolean): void;
  readonly clockOffsetMs: number;
}

const WRITES = ['SET', 'DEL', 'PEXPIRE', 'ZADD', 'ZREM', 'ZREMRANGEBYSCORE'];
const NO_ID = '0'.repeat(40);

export function createSimRedis(nowMs: () => number, epochMs = 1_700_000_000_000): SimRedis {
  let data = new Map<string, Entry>();
  let runId = newId();
  let replid = newId();
  let replid2 = NO_ID;
  let replicas = 0;
  let offsetMs = epochMs;
  let refusesWrites = false;
  const timeMs = () => Math.floor(nowMs() + offsetMs);

  const find = (key: string): Entry | undefined => {
    const entry = data.get(key);
    if (entry?.endsAtMs !== undefined && timeMs() > entry.endsAtMs) {
      data.delete(key);
      return undefined;
    }
    return entry;
  };
  const integerOf = (text: string | undefined): number => {
    const value = Number(text);
    if (!Number.isInteger(value)) throw new Error('ERR value is not an integer or out of range');
    return value;
  };
  const bound = (text = ''): number => {
    if (text === '-inf') return Number.NEGATIVE_INFINITY;
    if (text === '+inf') return Number.POSITIVE_INFINITY;
    return Number(text.replace('(', ''));
  };
  const inRange = (score: number, from = '', to = '') =>
    (from.startsWith('(') ? score > bound(from) : score >= bound(from)) &&
    (to.startsWith('(') ? score < bound(to) : score <= bound(to));

  const commands: Record<string, (...args: string[]) => Reply> = {
    TIME: () => [String(Math.floor(timeMs() / 1000)), String((timeMs() % 1000) * 1000)],
    INFO: (section) =>
      section === 'server'
        ? `run_id:${runId}\r\n`
        : `role:master\r\nconnected_slaves:${replicas}\r\nmaster_replid:${replid}\r\nmaster_replid2:${replid2}\r\n`,
    GET: (key = '') => find(key)?.text ?? null,
    SET: (key = '', text = '', px, ms) => {
      data.set(key, { text, endsAtMs: px === 'PX' ? timeMs() + integerOf(ms) : undefined });
      return 'OK';
    },
    DEL: (...keys) => keys.filter((key) => find(key) && data.delete(key)).length,
    PTTL: (key = '') => {
      const entry = find(key);
      if (!entry) return -2;
      return entry.endsAtMs === undefined ? -1 : entry.endsAtMs - timeMs();
    },
    PEXPIRE: (key = '', ms) => {
      const entry = find(key);
      if (entry) entry.endsAtMs = timeMs() + integerOf(ms);
      return entry ? 1 : 0;
    },
    ZADD: (key = '', score = '', member = '') => {
      const entry = find(key) ?? {};
      entry.scores = (entry.scores ?? new Map()).set(member, Number(score));
      data.set(key, entry);
      return 1;
    },
    ZREM: (key = '', member = '') => (find(key)?.scores?.delete(member) ? 1 : 0),
    ZSCORE: (key = '', member = '') => find(key)?.scores?.get(member)?.toString() ?? null,
    ZCOUNT: (key = '', from, to) =>
      [...(find(key)?.scores?.values() ?? [])].filter((score) => inRange(score, from, to)).length,
    ZREMRANGEBYSCORE: (key = '', from, to) => {
      const scores = find(key)?.scores ?? new Map<string, number>();
      const matching = [...scores].filter(([, score]) => inRange(score, from, to));
      for (const [member] of matching) scores.delete(member);
      return matching.length;
    },
  };

  return {
    command: ([name = '', ...args]) => {
      const run = commands[name.toUpperCase()];
      if (refusesWrites && WRITES.includes(name.toUpperCase()))
        throw new Error('NOREPLICAS Not enough good replicas to write.');
      if (!run) throw new Error(`the model's Redis has no ${name}`);
      return run(...args);
    },
    restart: (keepData) => {
      if (!keepData) data = new Map();
      runId = newId();
      replid = newId();
      replid2 = NO_ID;
    },
    flush: () => {
      data = new Map();
    },
    stepClock: (byMs) => {
      offsetMs += byMs;
    },
    snapshot: () => structuredClone(data),
    promote: (dataset, clockOffsetMs) => {
      data = structuredClone(dataset) as Map<string, Entry>;
      offsetMs = clockOffsetMs;
      replid2 = replid;
      replid = newId();
      replicas = 0;
      refusesWrites = false;
    },
    setReplicas: (connected) => {
      replicas = connected;
    },
    refuseWrites: (refuse) => {
      refusesWrites = refuse;
    },
    get clockOffsetMs() {
      return offsetMs;
    },
  };
}

function newId(): string {
  return randomBytes(20).toString('hex');
}
