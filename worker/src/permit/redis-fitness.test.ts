import { describe, expect, it } from 'vitest';
import { hasReplicas, persistenceWarning, whyUnfit as unfit } from './redis-fitness.ts';

const info = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');

const unfitBecause = (text: string, setMs?: number) => unfit(text, { setMs, allowedMs: 10_000 });

const alone = { maxmemory_policy: 'noeviction', role: 'master', connected_slaves: 0 };

describe('unfitBecause', () => {
  it('accepts a primary that does not evict', () => {
    expect(unfitBecause(info(alone))).toBeUndefined();
  });

  it.each(['volatile-lru', 'volatile-ttl', 'allkeys-lru', 'allkeys-random'])(
    'S9: rejects the eviction policy %s',
    (policy) => {
      expect(unfitBecause(info({ ...alone, maxmemory_policy: policy }))).toContain(policy);
    },
  );

  it('rejects a replica', () => {
    expect(unfitBecause(info({ ...alone, role: 'slave' }))).toContain('replica');
  });

  it('S3: requires min-replicas-to-write with replicas, even while none of them is good', () => {
    const replicated = { ...alone, connected_slaves: 1 };
    expect(unfitBecause(info(replicated))).toContain('min-replicas-to-write');
    expect(unfitBecause(info({ ...replicated, min_slaves_good_slaves: 0 }))).toBeUndefined();
  });

  it('S3: rejects a longer lag of replicas than the hold-off allows for, if it is known', () => {
    const replicated = info({ ...alone, connected_slaves: 1, min_slaves_good_slaves: 1 });
    expect(hasReplicas(replicated)).toBe(true);
    expect(unfitBecause(replicated, 10_000)).toBeUndefined();
    expect(unfitBecause(replicated, 11_000)).toContain('min-replicas-max-lag 11 s');
    expect(unfitBecause(info(alone), 11_000)).toBeUndefined();
  });
});

describe('forgetfulBecause', () => {
  it('warns of a Redis that has neither an append-only file nor snapshots', () => {
    expect(persistenceWarning(info({ aof_enabled: 0 }), '')).toContain('appendonly yes');
  });

  it('does not warn if one of them is on, or unknown', () => {
    expect(persistenceWarning(info({ aof_enabled: 1 }), '')).toBeUndefined();
    expect(persistenceWarning(info({ aof_enabled: 0 }), '3600 1')).toBeUndefined();
    expect(persistenceWarning(info({ aof_enabled: 0 }), undefined)).toBeUndefined();
    expect(persistenceWarning('', '')).toBeUndefined();
  });
});
