import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Answer, Parts } from './answer.ts';

type ResponseBody = ConstructorParameters<typeof Response>[0];

/** Sends an answer. Half a body, or one at the client's pace, bypasses Hono, which has neither. */
export function sendAnswer(
  { incoming, outgoing }: HttpBindings,
  { status, headers, body }: Answer,
): Response {
  if (incoming.method === 'HEAD') return new Response(null, { status, headers });
  if (body.kind === 'whole') return new Response(body.bytes as ResponseBody, { status, headers });
  outgoing.writeHead(status, headers);
  if (body.kind === 'cut') outgoing.write(body.bytes, () => outgoing.destroy());
  else void sendParts(outgoing, body.parts);
  return RESPONSE_ALREADY_SENT;
}

async function sendParts(outgoing: ServerResponse, parts: Parts): Promise<void> {
  try {
    await pipeline(Readable.from(parts), outgoing);
  } catch {
    // The client disconnected; the call log has recorded it.
    outgoing.destroy();
  }
}
