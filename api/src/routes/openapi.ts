import { HEALTHS } from '@lastframe/shared/cameras/camera-health';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { TITLES } from '../answer/problem.ts';
import { eventsQuery, imagesQuery, streamQuery } from './query-schemas.ts';

type Json = Record<string, unknown>;

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  instance: z.string(),
});

const timestamp = z.iso.datetime();

/** A camera in the list. */
const listedCamera = z.object({
  name: z.string(),
  title: z.string(),
  image: z.string(),
  intervalMs: z.int(),
  maxIntervalMs: z.int().optional(),
  lateAfterMs: z.number(),
  etag: z.string().optional(),
  contentType: z.string().optional(),
  sizeBytes: z.int().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  startedAt: timestamp.optional(),
  capturedAt: timestamp.optional(),
  changedAt: timestamp.optional(),
  ageMs: z.int().optional(),
  health: z.enum(HEALTHS),
  healthSince: timestamp.optional(),
  reason: z.string().optional(),
});

const cameraList = {
  type: 'object',
  required: ['cameras'],
  properties: { cameras: { type: 'array', items: { $ref: '#/components/schemas/Camera' } } },
};

/** On every response. */
const COMMON = ['Cache-Control', 'Cache-Status', 'Access-Control-Allow-Origin', 'X-Served-By'];
const CACHED = [...COMMON, 'ETag', 'Last-Modified', 'Age', 'Accept-Ranges'];
const BODY = ['Content-Type', 'Content-Length'];

const TEXT = { type: 'string' };
const BINARY = { type: 'string', format: 'binary' };

const DESCRIPTIONS: Record<string, string> = {
  'Cache-Control': 'How long the frame may be cached (RFC 9111, RFC 5861); no-store on problems',
  'Content-Security-Policy': 'Lets the page load from this origin only',
  'Cache-Status': 'How the cache handled the request (RFC 9211)',
  'Proxy-Status': 'What went wrong on the way to the camera (RFC 9209)',
  'Retry-After': 'Seconds to wait before a retry, at least 1',
  'X-Served-By': 'The process that responded',
  Age: 'Seconds since the frame was captured, or found unchanged',
  ETag: 'Strong; identical for the same bytes on every process',
  'Last-Modified': 'When the bytes last changed',
};

/** Returns the OpenAPI 3.1 document, built from the schemas that check requests. */
export function openApi(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lastframe',
      version: packageJson.version,
      description: 'The last frame of every slow camera, at once',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: {
      '/': operations('wall', {
        summary: 'The wall: a page of the named cameras, live',
        parameters: [headerParameter('If-None-Match')],
        responses: wallResponses('text/html', [400]),
      }),
      '/wall/{file}': operations('wallFile', {
        summary: 'A file of that page',
        parameters: [pathParameter('file'), headerParameter('If-None-Match')],
        responses: wallResponses('*/*', [404]),
      }),
      '/images': operations('image', {
        summary: 'The last frame of a camera',
        parameters: [...queryParameters(imagesQuery), ...frameHeaders()],
        responses: frameResponses([400]),
      }),
      '/cameras/{name}': operations('camera', {
        summary: 'The last frame of a named camera, whose URL stays secret',
        parameters: [pathParameter('name'), ...frameHeaders()],
        responses: frameResponses([404]),
      }),
      '/cameras': operations('cameras', {
        summary: 'The named cameras and their health',
        responses: {
          200: response('In the order of the sources file', COMMON, 'application/json', cameraList),
          ...problems([414, 431, 508]),
        },
      }),
      '/events': operations('events', {
        summary: 'Updates of any number of cameras, as Server-Sent Events',
        parameters: [
          ...queryParameters(eventsQuery).map((parameter) => ({ ...parameter, required: false })),
          ...['Last-Event-ID', 'Via'].map(headerParameter),
        ],
        responses: streamResponses('text/event-stream'),
      }),
      '/stream': operations('stream', {
        summary: 'Every new frame of a camera, as MJPEG',
        parameters: [...queryParameters(streamQuery), headerParameter('Via')],
        responses: streamResponses('multipart/x-mixed-replace'),
      }),
      '/openapi.json': operations('openApi', {
        summary: 'This document',
        responses: {
          200: response('OpenAPI 3.1', COMMON, 'application/json', { type: 'object' }),
          ...problems([414, 431, 508]),
        },
      }),
    },
    components: { schemas: { Problem: schemaOf(problem), Camera: schemaOf(listedCamera) } },
  };
}

function frameHeaders(): Json[] {
  const names = ['If-None-Match', 'If-Modified-Since', 'Range', 'If-Range', 'Prefer', 'Via'];
  return names.map(headerParameter);
}

function frameResponses(more: (keyof typeof TITLES)[]): Json {
  return {
    200: response('The frame', [...CACHED, ...BODY], 'image/*', BINARY),
    206: response('A part of the frame', [...CACHED, ...BODY, 'Content-Range'], 'image/*', BINARY),
    304: response('The client already has the last frame', CACHED),
    ...problems([...more, 403, 414, 416, 431, 502, 503, 504, 508]),
  };
}

function wallResponses(type: string, more: (keyof typeof TITLES)[]): Json {
  const headers = [...COMMON, 'ETag', 'Content-Security-Policy'];
  return {
    200: response('The file', headers, type, TEXT),
    304: response('The browser already has it', headers),
    ...problems([...more, 414, 431, 508]),
  };
}

function streamResponses(contentType: string): Json {
  return {
    200: response('Stays open until the client leaves', COMMON, contentType, TEXT),
    ...problems([400, 403, 404, 414, 431, 503, 508]),
  };
}

/** Describes GET and HEAD alike, and OPTIONS. */
function operations(name: string, get: Json): Json {
  return {
    get: { operationId: name, ...get },
    head: { operationId: `${name}Head`, ...get },
    options: {
      operationId: `${name}Options`,
      summary: 'The allowed methods, and the response to a CORS preflight',
      responses: { 204: response('See Allow', [...COMMON, 'Allow']) },
    },
  };
}

function queryParameters(schema: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}

function headerParameter(name: string): Json {
  return { name, in: 'header', required: false, schema: TEXT };
}

function pathParameter(name: string): Json {
  return { name, in: 'path', required: true, schema: TEXT };
}

/** @param type of its body, if it has one */
function response(description: string, headers: string[], type?: string, schema?: Json): Json {
  const content = type === undefined ? {} : { content: { [type]: { schema } } };
  return { description, headers: headersOf(headers), ...content };
}

function problems(statuses: (keyof typeof TITLES)[]): Json {
  const schema = { $ref: '#/components/schemas/Problem' };
  const responseFor = (status: keyof typeof TITLES) =>
    response(TITLES[status], problemHeaders(status), 'application/problem+json', schema);
  return Object.fromEntries(statuses.map((status) => [status, responseFor(status)]));
}

function problemHeaders(status: number): string[] {
  // What the HTTP parser rejects never reaches the routes.
  if (status === 431) return COMMON.filter((name) => name !== 'X-Served-By');
  if (status === 416) return [...COMMON, 'Content-Range'];
  if (status === 508) return [...COMMON, 'Proxy-Status'];
  if (status === 503) return [...COMMON, 'Retry-After'];
  return status === 502 || status === 504 ? [...COMMON, 'Retry-After', 'Proxy-Status'] : COMMON;
}

/** Marks all of them as required: every response of that status has them. */
function headersOf(names: string[]): Json {
  const header = (name: string) => ({
    ...(DESCRIPTIONS[name] && { description: DESCRIPTIONS[name] }),
    required: true,
    schema: TEXT,
  });
  // OpenAPI ignores Content-Type here: `content` already has it.
  const documented = names.filter((name) => name !== 'Content-Type');
  return Object.fromEntries(documented.map((name) => [name, header(name)]));
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
