import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Camera } from '@lastframe/shared/cameras/camera';
import packageJson from '../../package.json' with { type: 'json' };

/** Headers of one call, besides those of its source. */
export interface CallHeaders {
  authorization: string | undefined;
  /** The fleet's name in `Via`. */
  via: string | undefined;
  conditions: Readonly<Record<string, string>>;
}

const USER_AGENT = `Lastframe/${packageJson.version} (+https://github.com/lastframe/lastframe)`;

/**
 * Returns the request for a camera's image, one character per byte.
 * @throws TypeError for a header that HTTP does not allow
 */
export function requestText({ url, source }: Camera, call: CallHeaders): string {
  const { protocol, host, origin, pathname, search } = new URL(url);
  // A proxy passes on http itself; through it, https is a connection to the camera.
  const proxy = protocol === 'http:' ? source.proxy : undefined;
  const headers = {
    Host: host,
    'User-Agent': USER_AGENT,
    Accept: 'image/*, */*;q=0.5',
    'Accept-Encoding': 'identity',
    ...source.headers,
    ...(call.authorization !== undefined && { Authorization: call.authorization }),
    ...(call.via !== undefined && { Via: `1.1 ${call.via}` }),
    ...call.conditions,
    ...(proxy?.authorization !== undefined && { 'Proxy-Authorization': proxy.authorization }),
    Connection: 'close',
  };
  // A source may write a name in another case than the default that it replaces.
  const byName = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
  const lines = [...byName.values()].map(({ name, value }) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  return `GET ${proxy ? origin : ''}${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
