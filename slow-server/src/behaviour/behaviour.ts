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
  for (const [key, { expected, read }] of Object.entries(KEYS)) {
    const values = query.getAll(key);
    const [text] = values;
    if (values.length > 1) faults.push(`"${key}" is given ${values.length} times.`);
    else if (text !== undefined) {
      const part = read(text);
      if (part) Object.assign(behaviour, part);
      else faults.push(`"${key}" is "${text.slice(0, 100)}", expected ${expected}.`);
    }
  }
  if (isError(behaviour) && isMisbehaving(behaviour)) {
    faults.push('Give either "status" or "as", not both.');
  }
  return faults.length === 0 ? { ok: true, behaviour } : { ok: false, faults };
}

/** The call's own query wins; its `status` or `as` replaces both. */
export function mergeBehaviours(set: Behaviour, own: Behaviour): Behaviour {
  if (own.status === undefined && own.as === undefined) return { ...set, ...own };
  const { status: _status, as: _as, ...rest } = set;
  return { ...rest, ...own };
}

interface Key {
  expected: string;
  read: (text: string) => Partial<Behaviour> | undefined;
}

const KEYS: Record<string, Key> = {
  delay: {
    expected: DURATION_FORM,
    read: (text) => ifDefined(parseDurationMs(text), (delayMs) => ({ delayMs })),
  },
  status: {
    expected: 'an HTTP status from 200 to 599',
    read: (text) => ifDefined(wholeNumber(text, 200, 599), (status) => ({ status })),
  },
  retryAfter: {
    expected: 'whole seconds from 0 to 86400',
    read: (text) => ifDefined(wholeNumber(text, 0, 86_400), (retryAfterS) => ({ retryAfterS })),
  },
  as: {
    expected: `one of ${MISBEHAVIOURS.join(', ')}`,
    read: (text) =>
      ifDefined(
        MISBEHAVIOURS.find((known) => known === text),
        (as) => ({ as }),
      ),
  },
  to: {
    expected: 'a URL or path of at most 2048 visible ASCII characters',
    read: (text) => (/^[\x21-\x7e]{1,2048}$/.test(text) ? { to: text } : undefined),
  },
  size: {
    expected: PICTURE_SIZE_FORM,
    read: (text) => ifDefined(parsePictureSize(text), (size) => ({ size })),
  },
  bytes: {
    expected: SIZE_FORM,
    read: (text) => ifDefined(parseSizeBytes(text), (bytes) => ({ bytes })),
  },
};

function ifDefined<Value>(
  value: Value | undefined,
  make: (value: Value) => Partial<Behaviour>,
): Partial<Behaviour> | undefined {
  return value === undefined ? undefined : make(value);
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

function isError({ status = 200 }: Behaviour): boolean {
  return status !== 200;
}

function isMisbehaving({ as = 'image' }: Behaviour): boolean {
  return as !== 'image';
}
