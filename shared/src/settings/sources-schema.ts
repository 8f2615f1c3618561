import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { parseCameraUrl } from '../cameras/camera.ts';
import { parseNetwork, parseProxy } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { parseEtag } from '../http/etag.ts';
import { tlsSchema } from './sources-tls.ts';
import { durationMs, sizeBytes, textOf, wholeNumber } from './value-types.ts';

/** The parts are checked one by one, so that each fault is reported. */
export const topSchema = z.strictObject(
  {
    sources: z.array(z.unknown(), 'a list of sources').optional(),
    cameras: z.record(z.string(), z.unknown(), 'a mapping of names to cameras').optional(),
  },
  'a mapping with sources and cameras',
);

export const NAME_EXPECTED = 'at most 64 letters, digits or . _ ~ -, a letter or digit first';
export const isName = (text: string) => /^[A-Za-z0-9][\w.~-]{0,63}$/.test(text);
const bound = (expected: string) => z.number(expected).positive(expected).max(1_000_000, expected);
const word = textOf('text without control characters', (text) =>
  /^[^\x00-\x1f\x7f]+$/.test(text) ? text : undefined,
);
const credentials = z.strictObject(
  // A colon would end the user name in basic auth.
  {
    username: textOf('a user name without a colon', (text) =>
      /^[^:\x00-\x1f\x7f]+$/.test(text) ? text : undefined,
    ),
    password: word,
  },
  'username and password',
);

const urlPattern = textOf(
  'a URL pattern like https://cams.example.com/*',
  (text) => new UrlPattern(text),
);
const flag = z.boolean('true or false');

const ETAG_EXPECTED = 'an ETag of Lastframe, like sha256-9f86d081884c7d659a2feaa0c55ad015';

const MAX_CAMERAS_EXPECTED = 'a whole number of cameras, or 0 for no limit';
const AUTH_EXPECTED = 'either basic or digest, each with username and password';

/** A source must not set headers that frame a request or determine where it goes. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|proxy-.*|via|accept-encoding|range|if-.*)$/i;

const headers = z
  .record(
    z.string(),
    z.string('a string; quote it if it is a number'),
    'a mapping of header names to strings',
  )
  .superRefine((all, context) => {
    for (const [name, value] of Object.entries(all)) {
      const message = headerFault(name, value);
      if (message) context.addIssue({ code: 'custom', path: [name], message });
    }
  });

function headerFault(name: string, value: string): string | undefined {
  if (OWN_HEADERS.test(name)) return 'a header that Lastframe does not set itself';
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return undefined;
  } catch {
    return 'a header name and value that HTTP allows';
  }
}

export const sourceSchema = z.strictObject(
  {
    name: textOf(NAME_EXPECTED, (text) => (isName(text) ? text : undefined)),
    match: urlPattern,
    interval: durationMs.optional(),
    maxInterval: durationMs.optional(),
    timeout: durationMs.optional(),
    startAllowance: durationMs.optional(),
    headers: headers.optional(),
    query: z
      .union(
        [z.literal('keep'), z.literal('strip'), z.array(z.string().min(1)).min(1)],
        'keep, strip or a list of parameter names',
      )
      .optional(),
    redirects: z
      .union(
        [z.literal('none'), z.literal('same-host'), z.array(urlPattern).min(1)],
        'none, same-host or a list of URL patterns',
      )
      .optional(),
    cacheBusters: z.enum(['strip', 'keep'], 'strip or keep').optional(),
    networks: z
      .array(textOf('a network like 10.20.0.0/16 or ::1/128', parseNetwork), 'a list of networks')
      .optional(),
    maxFrameSize: sizeBytes.optional(),
    acceptTruncated: flag.optional(),
    conditional: flag.optional(),
    placeholders: z.array(textOf(ETAG_EXPECTED, parseEtag), 'a list of ETags').optional(),
    budget: z
      .strictObject(
        {
          perSecond: bound('calls per second, more than 0').optional(),
          concurrency: bound('a whole number of calls, 1 or more')
            .int('a whole number of calls, 1 or more')
            .optional(),
        },
        'perSecond, concurrency or both',
      )
      .optional(),
    staleFor: durationMs.optional(),
    maxCameras: wholeNumber(MAX_CAMERAS_EXPECTED, 0, 1_000_000).optional(),
    frozenAfter: durationMs.optional(),
    auth: z
      .strictObject(
        { basic: credentials.optional(), digest: credentials.optional() },
        AUTH_EXPECTED,
      )
      .refine(({ basic, digest }) => !basic !== !digest, AUTH_EXPECTED)
      .optional(),
    tls: tlsSchema.optional(),
    proxy: textOf('the URL of an HTTP proxy, such as http://proxy.lan:3128', parseProxy).optional(),
  },
  'a source: name, match and what differs from the defaults',
);

export type SourceItem = z.infer<typeof sourceSchema>;

export const cameraSchema = z.strictObject(
  {
    url: textOf('the URL of an image', parseCameraUrl),
    title: word.optional(),
    keepWarm: flag.optional(),
  },
  'a camera: url, title and keepWarm',
);
