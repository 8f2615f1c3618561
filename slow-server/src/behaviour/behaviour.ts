import {
  DURATION_FORM,
  PICTURE_SIZE_FORM,
  type PictureSize,
  parseDurationMs,
  parsePictureSize,
  parseSizeBytes,
  SIZE_FORM,
} from './units.ts';

/** What a query changes about one call, or about all later calls to a camera. */
export interface Behaviour {
  delayMs?: number;
  /** Responds with this status and a sentence instead of the picture. */
  status?: number;
  retryAfterS?: number;
  as?: Misbehaviour;
  /** Where `as=redirect` leads. */
  to?: string;
  size?: PictureSize;
  /** Pads the JPEG to this size. */
  bytes?: number;
  /** Draws a new picture only this often. */
  everyMs?: number;
  /** Of `Cache-Control`. */
  maxAgeS?: number;
}

export const MISBEHAVIOURS = [
  'image',
  'html',
  'truncated',
  'cut',
  'endless',
  'empty',
  'frozen',
  'drip',
  'huge',
  'redirect',
  'gzip',
] as const;

/** How a call is answered; `image` is the good picture and overrides a set behaviour. */
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

export type BehaviourOutcome = { ok: true; behaviour: Behaviour } | { ok: false; faults: string[] };

/** Reads the known keys of a query and ignores others; every invalid value is a fault. */
export function parseBehaviour(query: URLSearchParams): BehaviourOutcome {
  const behaviour: Behaviour = {};
  const faults: string[] = [];
  for (const [key, { field, expected, parse }] of Object.entries(KEYS)) {
    const values = query.getAll(key);
    const [text] = values;
    if (text === undefined) continue;
    const value = parse(text);
    if (values.length > 1) faults.push(`"${key}" is given ${values.length} times.`);
    else if (value === undefined)
      faults.push(`"${key}" is "${text.slice(0, 100)}", expected ${expected}.`);
    else Object.assign(behaviour, { [field]: value });
  }
  const { status = 200, as = 'image' } = behaviour;
  if (status !== 200 && as !== 'image') faults.push('Give either "status" or "as", not both.');
  return faults.length === 0 ? { ok: true, behaviour } : { ok: false, faults };
}

/** The call's own query wins; its `status` or `as` replaces both. */
export function mergeBehaviours(set: Behaviour, own: Behaviour): Behaviour {
  if (own.status === undefined && own.as === undefined) return { ...set, ...own };
  const { status: _status, as: _as, ...rest } = set;
  return { ...rest, ...own };
}

interface Key {
  field: keyof Behaviour;
  expected: string;
  /** Returns undefined if the text is invalid. */
  parse: (text: string) => unknown;
}

const KEYS: Record<string, Key> = {
  delay: { field: 'delayMs', expected: DURATION_FORM, parse: parseDurationMs },
  status: {
    field: 'status',
    expected: 'an HTTP status from 200 to 599',
    parse: (text) => wholeNumber(text, 200, 599),
  },
  retryAfter: {
    field: 'retryAfterS',
    expected: 'whole seconds from 0 to 86400',
    parse: (text) => wholeNumber(text, 0, 86_400),
  },
  as: {
    field: 'as',
    expected: `one of ${MISBEHAVIOURS.join(', ')}`,
    parse: (text) => MISBEHAVIOURS.find((known) => known === text),
  },
  to: {
    field: 'to',
    expected: 'a URL or path of at most 2048 visible ASCII characters',
    parse: (text) => (/^[\x21-\x7e]{1,2048}$/.test(text) ? text : undefined),
  },
  size: { field: 'size', expected: PICTURE_SIZE_FORM, parse: parsePictureSize },
  bytes: { field: 'bytes', expected: SIZE_FORM, parse: parseSizeBytes },
  every: {
    field: 'everyMs',
    expected: DURATION_FORM,
    parse: (text) => parseDurationMs(text) || undefined,
  },
  maxAge: {
    field: 'maxAgeS',
    expected: 'whole seconds from 0 to 86400',
    parse: (text) => wholeNumber(text, 0, 86_400),
  },
};

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
