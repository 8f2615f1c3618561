import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { parseCameraUrl } from '../cameras/camera.ts';
import { parseNetwork } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { messageOf } from '../process/errors.ts';
import { DURATION_FORM, parseDurationMs, parseSizeBytes, SIZE_FORM } from './units.ts';

/** A text that `parse` understands; it throws, or gives undefined, for others. */
function textOf<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string(expected).transform((text, context) => {
    let why = '';
    try {
      const value = parse(text);
      if (value !== undefined) return value;
    } catch (error) {
      why = ` (${messageOf(error)})`;
    }
    context.addIssue({ code: 'custom', message: `${expected}${why}` });
    return z.NEVER;
  });
}

/** The parts are checked one by one, so that each fault is reported. */
export const topSchema = z.strictObject(
  {
    sources: z.array(z.unknown(), 'a list of sources').optional(),
    cameras: z.record(z.string(), z.unknown(), 'a mapping of names to cameras').optional(),
  },
  'a mapping with sources and cameras',
);

export const NAME_EXPECTED = 'letters, digits and . _ ~ -, at most 64, a letter or digit first';
export const isName = (text: string) => /^[A-Za-z0-9][\w.~-]{0,63}$/.test(text);
const durationMs = textOf(DURATION_FORM, parseDurationMs);
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

const MAX_CAMERAS_EXPECTED = 'a whole number of cameras, or 0 for no bound';
const AUTH_EXPECTED = 'either basic or digest, each with username and password';
const TLS_EXPECTED = 'either ca (a certificate in PEM, or a file of them) or insecure: true';
/** What frames a request, or says where it goes, is not a source's to say. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|proxy-.*|via|accept-encoding|range|if-.*)$/i;

const headers = z
  .record(
    z.string(),
    z.string('a text; quote it if it is a number'),
    'a mapping of header names to texts',
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
    return 'a name and a text that HTTP allows in a header';
  }
}

export const sourceSchema = z.strictObject(
  {
    name: textOf(NAME_EXPECTED, (text) => (isName(text) ? text : undefined)),
    match: textOf('a URL pattern like https://cams.example.com/*', (text) => new UrlPattern(text)),
    interval: durationMs.optional(),
    timeout: durationMs.optional(),
    startAllowance: durationMs.optional(),
    headers: headers.optional(),
    query: z
      .union(
        [z.literal('keep'), z.literal('strip'), z.array(z.string().min(1)).min(1)],
        'keep, strip or a list of parameter names',
      )
      .optional(),
    networks: z
      .array(textOf('a network like 10.20.0.0/16 or ::1/128', parseNetwork), 'a list of networks')
      .optional(),
    maxFrameSize: textOf(SIZE_FORM, parseSizeBytes).optional(),
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
    maxCameras: z
      .number(MAX_CAMERAS_EXPECTED)
      .int(MAX_CAMERAS_EXPECTED)
      .min(0, MAX_CAMERAS_EXPECTED)
      .max(1_000_000, MAX_CAMERAS_EXPECTED)
      .optional(),
    frozenAfter: durationMs.optional(),
    auth: z
      .strictObject(
        { basic: credentials.optional(), digest: credentials.optional() },
        AUTH_EXPECTED,
      )
      .refine(({ basic, digest }) => !basic !== !digest, AUTH_EXPECTED)
      .optional(),
    tls: z
      .strictObject(
        { ca: z.string(TLS_EXPECTED).optional(), insecure: z.boolean('true or false').optional() },
        TLS_EXPECTED,
      )
      .refine(({ ca, insecure }) => !ca !== !insecure, TLS_EXPECTED)
      .optional(),
  },
  'a source: name, match and what differs from the defaults',
);

export type SourceItem = z.infer<typeof sourceSchema>;

export const cameraSchema = z.strictObject(
  {
    url: textOf('the URL of an image', parseCameraUrl),
    title: word.optional(),
    keepWarm: z.boolean('true or false').optional(),
  },
  'a camera: url, title and keepWarm',
);
