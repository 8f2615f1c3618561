/** Where a Redis is and how to reach it, parsed from its URL. */
export type RedisEndpoint =
  | { kind: 'server'; url: string }
  | {
      kind: 'sentinel';
      /** URLs of the Sentinels, with their own credentials. */
      sentinels: string[];
      /** The Sentinels' name for the primary. */
      primaryName: string;
      tls: boolean;
      /** Has the primary's credentials and database; its host is a placeholder. */
      url: string;
    }
  | {
      kind: 'cluster';
      /** URLs of some nodes, which know the others. */
      nodes: string[];
      /** Returns the URL of another node. */
      urlOf(host: string, port: number): string;
    };

interface Access {
  tls: boolean;
  username: string;
  password: string;
}

export const REDIS_URL_FORM =
  'a URL like redis://[user:password@]host:6379[/db], rediss://… or redis+sentinel://host:26379,host:26379/primary-name';
export const FRAMES_URL_FORM = `${REDIS_URL_FORM}, or redis+cluster://host:6379,host:6379`;

/** Parses a URL for the queue, which cannot be a Cluster. @throws TypeError that says why */
export function parseQueueUrl(text: string): string | undefined {
  const endpoint = parseRedisUrl(text);
  if (endpoint?.kind === 'cluster') {
    throw new TypeError(
      'the queue cannot run on a Redis Cluster; use a separate Redis for it, and set the Cluster as FRAMES_REDIS_URL',
    );
  }
  return endpoint && text;
}

/** Returns `undefined` for other texts. @throws TypeError that says why, without a password */
export function parseRedisUrl(text: string): RedisEndpoint | undefined {
  const [, scheme = '', kind, rest = ''] =
    /^(rediss?)\+(sentinel|cluster):\/\/(.*)$/i.exec(text) ?? [];
  // A password may contain an unescaped @.
  const userEnd = rest.lastIndexOf('@');
  const user = rest.slice(0, Math.max(0, userEnd));
  const [, hosts, path = '', query = ''] =
    /^([^/?#]+)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(rest.slice(userEnd + 1)) ?? [];
  if (!kind || !hosts) return parseServerUrl(text);
  const access = { tls: scheme.toLowerCase() === 'rediss', ...parseUser(user) };
  if (kind.toLowerCase() === 'sentinel') return sentinelEndpoint(hosts, path, query, access);
  if (path.length > 1 || query) throw new TypeError('a Cluster URL has no database or options');
  const urlOf = (host: string, port: number) => serverUrl(host, port, access);
  return { kind: 'cluster', nodes: parseHosts(hosts, 6379).map((at) => urlOf(...at)), urlOf };
}

function parseServerUrl(url: string): RedisEndpoint | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, pathname, username, password } = new URL(url);
  for (const part of [username, password]) decodeURIComponent(part);
  const isOne = /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname);
  return isOne ? { kind: 'server', url } : undefined;
}

function sentinelEndpoint(
  hosts: string,
  path: string,
  query: string,
  access: Access,
): RedisEndpoint {
  const [, primaryName, db = '', more] = path.split('/').map(decodeURIComponent);
  if (!primaryName || !/^\d*$/.test(db) || more !== undefined) {
    throw new TypeError(
      'the hosts of the Sentinels must be followed by the name of their primary, as in /mymaster',
    );
  }
  const { tls } = access;
  const own = { tls, ...parseSentinelQuery(query) };
  const sentinels = parseHosts(hosts, 26_379).map(([host, port]) => serverUrl(host, port, own));
  const url = serverUrl('primary', 6379, { ...access, tls: false }, db);
  return { kind: 'sentinel', sentinels, primaryName, tls, url };
}

function parseSentinelQuery(query: string): Omit<Access, 'tls'> {
  const {
    sentinelUser = '',
    sentinelPassword = '',
    ...unknown
  } = Object.fromEntries(new URLSearchParams(query));
  const [name] = Object.keys(unknown);
  if (name !== undefined)
    throw new TypeError('only sentinelUser= and sentinelPassword= are supported');
  return { username: sentinelUser, password: sentinelPassword };
}

function parseUser(text: string): Omit<Access, 'tls'> {
  const [username = ''] = text.split(':', 1);
  const password = text.slice(username.length + 1);
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

function parseHosts(text: string, usualPort: number): [host: string, port: number][] {
  return text.split(',').map((item) => {
    const url = `redis://${item.trim()}`;
    const { hostname, port } = URL.canParse(url) ? new URL(url) : { hostname: '', port: '' };
    if (hostname === '') throw new TypeError('one of its hosts is not valid');
    return [hostname, Number(port) || usualPort];
  });
}

function serverUrl(host: string, port: number, access: Access, db = ''): string {
  const url = new URL(
    `redis${access.tls ? 's' : ''}://${/^[^[].*:/.test(host) ? `[${host}]` : host}`,
  );
  url.port = String(port);
  url.username = encodeURIComponent(access.username);
  url.password = encodeURIComponent(access.password);
  url.pathname = db;
  return url.href;
}
