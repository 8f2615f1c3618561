/**
 * What people write instead of a URL, and what each of them should do. Every check reads the text
 * once, and nothing of the text is repeated but a well-known scheme.
 */

/** Protocols of cameras that Lastframe doesn't speak, as they are called. */
const STREAMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'rtsp rtsps rtspu rtmp rtmps rtmpt rtmpe mms mmsh srt rtp udp onvif webrtc whep hls'
      .split(' ')
      .map((scheme) => [scheme, scheme.toUpperCase()]),
  ),
  ws: 'WebSockets',
  wss: 'WebSockets',
};

/** The only ones that an answer repeats: before a colon, there may also be a password. */
const OTHER_SCHEMES = new Set(
  'ftp ftps sftp file data blob javascript about content smb nfs ssh tcp mailto'.split(' '),
);

const NO_SCHEME =
  'url must be an absolute http:// or https:// URL; write http:// or https:// first, as in http://cams.example.com/north.jpg';
const ENCODED_TWICE =
  'url is percent-encoded twice; encode it only once, so that it begins with http%3A%2F%2F';

/**
 * Returns what is wrong with a URL that a camera could have, but that is a mistake. It must say the
 * same of the canonical URL, which the worker parses again.
 * @param url normalised
 */
export function adviceOnParsedUrl({ hostname, pathname, search }: URL): string | undefined {
  if (/^https?$/.test(hostname) && pathname.startsWith('//')) {
    return 'url begins with http:// or https:// twice; write it only once';
  }
  if (`${pathname}${search}`.includes('&amp;')) {
    return 'url has &amp; in it, which stands for & in HTML; write & alone, percent-encoded as %26';
  }
  return undefined;
}

/** Returns why a text is not an absolute URL for http or https, and what to do; else undefined. */
export function adviceOnUrl(text: string): string | undefined {
  if (text === '') return 'url is empty; give the URL of an image, as in ?url=https://…';
  if (text.trim() !== text) return 'url begins or ends with white space; leave it out';
  return adviceOnBeginning(text) ?? adviceOnCharacters(text) ?? adviceOnAuthority(text);
}

function adviceOnBeginning(text: string): string | undefined {
  if (isInQuotes(text)) {
    return 'url is in quotes or brackets; leave them out, and write nothing around the URL';
  }
  const [beginning = ''] =
    /^[a-z][a-z\d+.-]*(?::|%(?:25)*3a)(?:\/|%(?:25)*2f){2}/i.exec(text) ?? [];
  if (beginning.includes('%')) return ENCODED_TWICE;
  if (text.startsWith('//')) return 'url begins with //; write http: or https: in front of it';
  const [, scheme = ''] = /^([a-z][a-z\d+.-]*):/i.exec(text) ?? [];
  // In `localhost:8888/image` a host comes before the colon.
  if (scheme === '' || /^[^/?#]*:\d{1,5}(?:[/?#]|$)/.test(text)) return NO_SCHEME;
  return adviceOnScheme(scheme.toLowerCase());
}

function isInQuotes(text: string): boolean {
  const isAddress = /^\[[\da-f:.]+\]/i.test(text);
  return (/^["'`<({[“”„‘’«]/.test(text) && !isAddress) || /[">”]$/.test(text);
}

function adviceOnScheme(scheme: string): string | undefined {
  if (scheme === 'http' || scheme === 'https') return undefined;
  if (Object.hasOwn(STREAMS, scheme)) {
    return `Lastframe cannot read ${STREAMS[scheme]}; put go2rtc or another gateway in front of the camera, and use its http:// snapshot URL`;
  }
  const which = OTHER_SCHEMES.has(scheme) ? `, not ${scheme}:` : '';
  return `url must begin with http:// or https://${which}; give the URL of the camera's image`;
}

function adviceOnCharacters(text: string): string | undefined {
  if (text.includes(' ')) {
    return 'url has a space in it; where the URL of the image has %20, write %2520, and where it has a +, write %2B';
  }
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'url has a control character in it; leave it out';
  if (text.includes('\\')) return 'url has a backslash in it; write / instead';
  return undefined;
}

function adviceOnAuthority(text: string): string | undefined {
  if (URL.canParse(text)) return undefined;
  const [authority = ''] = text.slice(text.indexOf(':') + 3).split(/[/?#]/, 1);
  if (/%(?:25)*(?:3a|2f|3f)/i.test(authority)) return ENCODED_TWICE;
  return 'url has a host or a port that is not valid; check what is between http:// and the next /';
}
