import { describe, expect, it } from 'vitest';
import { parseQueueUrl, parseRedisUrl } from './redis-url.ts';

describe('one server', () => {
  it.each(['redis://host', 'rediss://user:p%40ss@host:6380/3', 'redis://:p@[::1]:6379/'])(
    'is %s',
    (url) => expect(parseRedisUrl(url)).toEqual({ kind: 'server', url }),
  );

  it.each(['http://host', 'host:6379', 'redis', 'redis:host', 'redis://', 'redis://host/db', ''])(
    'is not %j',
    (text) => expect(parseRedisUrl(text)).toBeUndefined(),
  );

  it('must have a password that can be decoded', () => {
    expect(() => parseRedisUrl('redis://:%zz@host')).toThrow('URI malformed');
  });
});

describe('Sentinels', () => {
  it('are several, with the name of their primary and its credentials', () => {
    const url = 'redis+sentinel://u:p%2Fw@a,b:1,[::1]:2/mymaster/3';
    expect(parseRedisUrl(url)).toEqual({
      kind: 'sentinel',
      sentinels: ['redis://a:26379', 'redis://b:1', 'redis://[::1]:2'],
      primaryName: 'mymaster',
      tls: false,
      url: 'redis://u:p%2Fw@primary:6379/3',
    });
  });

  it('may require their own credentials, and TLS', () => {
    const url = 'rediss+sentinel://:p@a/m?sentinelUser=s&sentinelPassword=x%40y';
    expect(parseRedisUrl(url)).toMatchObject({
      sentinels: ['rediss://s:x%40y@a:26379'],
      tls: true,
      // The relay speaks TLS, not the link to it.
      url: 'redis://:p@primary:6379',
    });
  });

  it.each([
    ['redis+sentinel://a', 'name of their primary'],
    ['redis+sentinel://a/m/x', 'name of their primary'],
    ['redis+sentinel://a/m/1/2', 'name of their primary'],
    ['redis+sentinel://a:x/m', 'one of its hosts'],
    ['redis+sentinel://a,,b/m', 'one of its hosts'],
    ['redis+sentinel://a/m?db=1', 'only sentinelUser= and sentinelPassword='],
  ])('are not %s; the error says why', (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why);
  });
});

describe('a Cluster', () => {
  it('is some of its nodes; the others are reached the same way', () => {
    const endpoint = parseRedisUrl('rediss+cluster://u:p@a,b:1');
    if (endpoint?.kind !== 'cluster') throw new Error('it is one');
    expect(endpoint.nodes).toEqual(['rediss://u:p@a:6379', 'rediss://u:p@b:1']);
    expect(endpoint.urlOf('10.0.0.1', 7000)).toBe('rediss://u:p@10.0.0.1:7000');
    expect(endpoint.urlOf('::1', 7000)).toBe('rediss://u:p@[::1]:7000');
  });

  it.each(['redis+cluster://a/1', 'redis+cluster://a?x=1'])('has no database: %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow('no database or options');
  });

  it('cannot hold the queue; the error says why', () => {
    expect(() => parseQueueUrl('redis+cluster://a')).toThrow('cannot run on a Redis Cluster');
    expect(parseQueueUrl('redis+sentinel://a/m')).toBe('redis+sentinel://a/m');
  });
});
