import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import { parseBehaviour } from '../behaviour/behaviour.ts';
import type { CameraMemory } from '../behaviour/camera-memory.ts';
import { cameraNameIn } from '../behaviour/camera-name.ts';
import type { CallLog } from '../calls/call-log.ts';
import type { Pauses } from '../calls/pauses.ts';
import { recordCalls } from '../calls/record-calls.ts';
import { type Answer, textAnswer } from './answer.ts';
import type { Env } from './env.ts';
import { HELP } from './help.ts';
import type { AnswerImageCall } from './image-call.ts';
import { sendAnswer } from './send.ts';

export interface AppDeps {
  calls: CallLog;
  pauses: Pick<Pauses, 'all'>;
  memory: CameraMemory;
  answerImageCall: AnswerImageCall;
  log: Pick<Logger, 'error'>;
}

/** Creates the app with all its routes. */
export function createApp(deps: AppDeps): Hono<Env> {
  const { calls, memory, log } = deps;
  const app = new Hono<Env>();
  app.use('/image/*', recordCalls(calls));
  app.get('/image/*', (c) => answerImage(c, deps));
  app.get('/calls', (c) => listCalls(c, calls));
  app.delete('/calls', (c) => {
    calls.clear();
    return c.body(null, 204);
  });
  app.get('/pauses', (c) => c.json(deps.pauses.all()));
  app.get('/behaviours', (c) => c.json(Object.fromEntries(memory.behaviours)));
  app.delete('/behaviours', (c) => dropAllBehaviours(c, memory));
  app.put('/behaviours/*', (c) => setBehaviour(c, memory));
  app.delete('/behaviours/*', (c) => dropBehaviour(c, memory));
  app.get('/livez', (c) => c.text('alive\n'));
  app.get('/', (c) => c.text(HELP));
  refuseOtherMethods(app);
  app.notFound((c) => c.text('Not found. GET / lists the routes.\n', 404));
  app.onError((error, c) => {
    log.error({ err: error, url: c.req.url }, 'a call failed');
    return c.text('Internal error; see the log.\n', 500);
  });
  return app;
}

function refuseOtherMethods(app: Hono<Env>): void {
  const allowed = {
    '/image/*': 'GET, HEAD',
    '/calls': 'GET, HEAD, DELETE',
    '/pauses': 'GET, HEAD',
    '/behaviours': 'GET, HEAD, DELETE',
    '/behaviours/*': 'PUT, DELETE',
    '/livez': 'GET, HEAD',
    '/': 'GET, HEAD',
  };
  for (const [path, methods] of Object.entries(allowed)) {
    app.all(path, (c) => c.text(`This path accepts only ${methods}.\n`, 405, { Allow: methods }));
  }
}

async function answerImage(c: Context<Env>, deps: AppDeps): Promise<Response> {
  const { signal } = c.req.raw;
  const { number, name, nameFault } = c.var;
  const send = (answer: Answer) => {
    deps.calls.setStatus(number, answer.status);
    return sendAnswer(c.env, answer);
  };
  if (nameFault) return send(textAnswer(400, nameFault));
  try {
    const query = new URL(c.req.url).searchParams;
    const { headers } = c.env.incoming;
    return send(await deps.answerImageCall({ name, number, query, headers, signal }));
  } catch (error) {
    if (signal.aborted) return RESPONSE_ALREADY_SENT;
    throw error;
  }
}

function listCalls(c: Context<Env>, calls: CallLog): Response {
  const since = c.req.query('since') ?? '0';
  if (!/^\d{1,15}$/.test(since)) {
    return c.text(`"since" is "${since.slice(0, 100)}", expected the number of a call.\n`, 400);
  }
  const headers = {
    'Content-Type': 'application/json',
    'X-Calls-Dropped': String(calls.droppedCount()),
  };
  const parts = calls.json(Number(since));
  return sendAnswer(c.env, { status: 200, headers, body: { kind: 'parts', parts } });
}

function setBehaviour(c: Context<Env>, { behaviours, thaw }: CameraMemory): Response {
  const { pathname, searchParams } = new URL(c.req.url);
  const named = cameraNameIn(pathname, '/behaviours');
  if (!named.ok) return c.text(`${named.fault}\n`, 400);
  const parsed = parseBehaviour(searchParams);
  if (!parsed.ok) return c.text(`${parsed.faults.join('\n')}\n`, 400);
  if (Object.keys(parsed.behaviour).length === 0) {
    return c.text('The query must set a behaviour, for example ?as=html or ?status=500.\n', 400);
  }
  thaw(named.name);
  behaviours.set(named.name, parsed.behaviour);
  return c.json({ [named.name]: parsed.behaviour });
}

function dropBehaviour(c: Context<Env>, { behaviours, thaw }: CameraMemory): Response {
  const named = cameraNameIn(new URL(c.req.url).pathname, '/behaviours');
  if (!named.ok) return c.text(`${named.fault}\n`, 400);
  thaw(named.name);
  behaviours.delete(named.name);
  return c.body(null, 204);
}

function dropAllBehaviours(c: Context<Env>, { behaviours, thaw }: CameraMemory): Response {
  for (const name of behaviours.keys()) thaw(name);
  behaviours.clear();
  return c.body(null, 204);
}
