import { describe, expect, it } from 'vitest';
import { forgetfulBecause, hasReplicas, unfitBecause as unfit } from './redis-fitness.ts';

const info = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');

const unfitBecause = (text: string, setMs?: number) => unfit(text, { setMs, allowedMs: 10_000 });

const alone = { maxmemory_policy: 'noeviction', role: 'master', connected_slaves: 0 };

describe('unfitBecause', () => {
  it('finds nothing wrong with a primary that evicts nothing', () => {
    expect(unfitBecause(info(alone))).toBeUndefined();
  });

  it.each(['volatile-lru', 'volatile-ttl', 'allkeys-lru', 'allkeys-random'])(
    'S9: refuses the eviction policy %s',
    (policy) => {
      expect(unfitBecause(info({ ...alone, maxmemory_policy: policy }))).toContain(policy);
    },
  );

  it('refuses a replica', () => {
    expect(unfitBecause(info({ ...alone, role: 'slave' }))).toContain('replica');
  });

  it('S3: with replicas it wants min-replicas-to-write, even while none of them is good', () => {
    const replicated = { ...alone, connected_slaves: 1 };
    expect(unfitBecause(info(replicated))).toContain('min-replicas-to-write');
    expect(unfitBecause(info({ ...replicated, min_slaves_good_slaves: 0 }))).toBeUndefined();
  });

  it('S3: with replicas it wants no longer lag than the hold-off allows for, if Redis tells', () => {
    const replicated = info({ ...alone, connected_slaves: 1, min_slaves_good_slaves: 1 });
    expect(hasReplicas(replicated)).toBe(true);
    expect(unfitBecause(replicated, 10_000)).toBeUndefined();
    expect(unfitBecause(replicated, 11_000)).toContain('min-replicas-max-lag 11 s');
    expect(unfitBecause(info(alone), 11_000)).toBeUndefined();
  });
});

describe('forgetfulBecause', () => {
  it('warns of a Redis that has neither an append-only file nor snapshots', () => {
    expect(forgetfulBecause(info({ aof_enabled: 0 }), '')).toContain('appendonly yes');
  });

  it('says nothing where one of them is on, or nobody may know', () => {
    expect(forgetfulBecause(info({ aof_enabled: 1 }), '')).toBeUndefined();
    expect(forgetfulBecause(info({ aof_enabled: 0 }), '3600 1')).toBeUndefined();
    expect(forgetfulBecause(info({ aof_enabled: 0 }), undefined)).toBeUndefined();
    expect(forgetfulBecause('', '')).toBeUndefined();
  });
});
