import { randomBytes } from 'node:crypto';
import type { Reply } from './lua-script.ts';

interface Entry {
  text?: string;
  scores?: Map<string, number>;
  /** By this Redis's own clock. */
  endsAtMs?: number | undefined;
}

/** What a modelled Redis knows and is; enough of it for the permit's scripts. */
export interface SimRedis {
  command(args: string[]): Reply;
  /** A new process on what was kept, or on nothing. */
  restart(keepData: boolean): void;
  flush(): void;
  /** Its wall clock jumps. */
  stepClock(byMs: number): void;
  /** From now on a replica: what it has is what it got, until it is promoted. */
  snapshot(): ReadonlyMap<string, Entry>;
  promote(dataset: ReadonlyMap<string, Entry>, clockOffsetMs: number): void;
  setReplicas(connected: number): void;
  /** Refuses writes, as with min-replicas-to-write and no replica near enough. */
  refuseWrites(refuse: boolean): void;
  readonly clockOffsetMs: number;
}

const NO_ID = '0'.repeat(40);

export function createSimRedis(nowMs: () => number, epochMs = 1_700_000_000_000): SimRedis {
  let data = new Map<string, Entry>();
  let runId = newId();
  let replid = newId();
  let replid2 = NO_ID;
  let replicas = 0;
  let offsetMs = epochMs;
  let refusing = false;
  const timeMs = () => Math.floor(nowMs() + offsetMs);

  const live = (key: string): Entry | undefined => {
    const entry = data.get(key);
    if (entry?.endsAtMs !== undefined && timeMs() > entry.endsAtMs) {
      data.delete(key);
      return undefined;
    }
    return entry;
  };
  const write = () => {
    if (refusing) throw new Error('NOREPLICAS Not enough good replicas to write.');
  };
  const whole = (text: string | undefined): number => {
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
    GET: (key = '') => live(key)?.text ?? null,
    SET: (key = '', text = '', px, ms) => {
      write();
      data.set(key, { text, endsAtMs: px === 'PX' ? timeMs() + whole(ms) : undefined });
      return 'OK';
    },
    DEL: (...keys) => {
      write();
      return keys.filter((key) => live(key) && data.delete(key)).length;
    },
    PTTL: (key = '') => {
      const entry = live(key);
      if (!entry) return -2;
      return entry.endsAtMs === undefined ? -1 : entry.endsAtMs - timeMs();
    },
    PEXPIRE: (key = '', ms) => {
      write();
      const entry = live(key);
      if (entry) entry.endsAtMs = timeMs() + whole(ms);
      return entry ? 1 : 0;
    },
    ZADD: (key = '', score = '', member = '') => {
      write();
      const entry = live(key) ?? {};
      entry.scores = (entry.scores ?? new Map()).set(member, Number(score));
      data.set(key, entry);
      return 1;
    },
    ZREM: (key = '', member = '') => {
      write();
      return live(key)?.scores?.delete(member) ? 1 : 0;
    },
    ZSCORE: (key = '', member = '') => live(key)?.scores?.get(member)?.toString() ?? null,
    ZCOUNT: (key = '', from, to) =>
      [...(live(key)?.scores?.values() ?? [])].filter((score) => inRange(score, from, to)).length,
    ZREMRANGEBYSCORE: (key = '', from, to) => {
      write();
      const scores = live(key)?.scores ?? new Map<string, number>();
      const gone = [...scores].filter(([, score]) => inRange(score, from, to));
      for (const [member] of gone) scores.delete(member);
      return gone.length;
    },
  };

  return {
    command: ([name = '', ...args]) => {
      const run = commands[name.toUpperCase()];
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
      refusing = false;
    },
    setReplicas: (connected) => {
      replicas = connected;
    },
    refuseWrites: (refuse) => {
      refusing = refuse;
    },
    get clockOffsetMs() {
      return offsetMs;
    },
  };
}

function newId(): string {
  return randomBytes(20).toString('hex');
}
