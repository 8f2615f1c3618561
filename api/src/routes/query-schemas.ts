import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { invalidUrl } from '@lastframe/shared/process/errors';
import type { Context } from 'hono';
import { z } from 'zod';
import { type Pair, pairsOf, valuesOf } from './query-pairs.ts';
import { type RouteParameters, rejectStrayParameters } from './stray-parameters.ts';

/** The query of `/images`. The URL itself is checked when it is parsed. */
export const imagesQuery = z.object({
  url: z.string('url is missing; use /images?url=<URL of the image>').meta({
    description: 'URL of the image, http or https, percent-encoded, at most 4096 bytes',
    example: 'https://cams.example.com/north.jpg',
  }),
  sig: z.string().optional().meta({
    description: 'Signature of a signed URL: base64url HMAC-SHA-256 of url, a newline and exp',
  }),
  exp: z.string().optional().meta({
    description: 'When the signature expires, in Unix seconds',
  }),
});

const camera = z.string().meta({ description: 'Name of a camera', example: 'north-runway' });

/** The query of `/stream`: either `url` or `camera`. */
export const streamQuery = imagesQuery
  .partial()
  .extend({ camera: camera.optional() })
  .refine(({ url, camera }) => (url === undefined) !== (camera === undefined), {
    error: 'give either url or camera, as in /stream?camera=<name>',
  });

/** The query of `/events`: any number of each. The nth `sig` and `exp` belong to the nth `url`. */
export const eventsQuery = z.object({
  url: z.array(imagesQuery.shape.url),
  camera: z.array(camera),
  sig: z.array(imagesQuery.shape.sig.unwrap()),
  exp: z.array(imagesQuery.shape.exp.unwrap()),
});

/** Returns whether an operator named a camera like this. */
export type IsCamera = (name: string) => boolean;

export function isCameraIn(rules: RulesNow): IsCamera {
  return (name) => rules().cameras.has(name);
}

/**
 * Returns the lists of a query as its schema has them; a missing one is empty.
 * @throws ProblemError 400 for parameters that were meant for a camera
 */
export function readLists(
  c: Context,
  { shape }: typeof eventsQuery,
  isCamera: IsCamera,
): z.infer<typeof eventsQuery> {
  const names = Object.keys(shape) as (keyof typeof shape)[];
  const pairs = readCheckedPairs(c, { names, areLists: true, isCamera });
  const lists = names.map((name) => [name, valuesOf(pairs, name)]);
  return Object.fromEntries(lists);
}

/**
 * Returns the query of a request as its schema has it, and ignores other parameters unless they
 * were meant for a camera.
 * @throws ProblemError 400
 */
export function readQuery<S extends z.ZodObject>(
  c: Context,
  schema: S,
  isCamera: IsCamera = () => false,
): z.infer<S> {
  const values: Record<string, string> = {};
  const names = Object.keys(schema.shape);
  const pairs = readCheckedPairs(c, { names, areLists: false, isCamera });
  for (const name of names) {
    const [value, ...more] = valuesOf(pairs, name);
    if (more.length > 0) {
      const advice = 'percent-encode the & in the URL of the image as %26';
      throw invalidUrl(`${name} is given more than once; ${advice}`);
    }
    if (value !== undefined) values[name] = value;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success)
    throw invalidUrl(parsed.error.issues[0]?.message ?? 'the query cannot be parsed');
  return parsed.data;
}

/**
 * Returns the parameters of a request.
 * @throws ProblemError 400 for parameters that were meant for a camera
 */
export function readCheckedPairs(c: Context, route: RouteParameters): Pair[] {
  const pairs = pairsOf(c);
  rejectStrayParameters(pairs, new URL(c.req.url).pathname, route);
  return pairs;
}
