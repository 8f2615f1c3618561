import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../../testing/checks/otlp-receiver.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { freePort } from '../../testing/redis/redis-server.ts';

const SECRET = 'planted-in-the-url-of-a-camera';
const SOON = { timeout: 30_000 };
const VIEWER_SPAN = 'b7ad6b7169203331';
const traceOf = (digit: string) => digit.repeat(32);
const sampled = (traceId: string) => ({ traceparent: `00-${traceId}-${VIEWER_SPAN}-01` });
const notSampled = (traceId: string) => ({ traceparent: `00-${traceId}-${VIEWER_SPAN}-00` });

let fleet: Fleet;
let api: Api;
let receiver: OtlpReceiver;
/** A camera that records request headers, and can hold responses until the test sends them. */
let server: Server;
let cameraUrl: string;
const calls: IncomingHttpHeaders[] = [];
const heldResponses: (() => void)[] = [];

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  let picture = Buffer.alloc(0);
  server = createServer((req, res) => {
    calls.push(req.headers);
    const answer = () => void res.setHeader('Content-Type', 'image/jpeg').end(picture);
    if (req.url?.startsWith('/waits')) heldResponses.push(answer);
    else answer();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cameraUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ALLOWED_SOURCES: `${cameraUrl}/*` };
  fleet = await startFleet({ apis: 2, intervalMs: 60_000, env });
  api = fleet.apis[0] as Api;
  picture = Buffer.from(await (await fetch(fleet.slow.camera('drawn'))).arrayBuffer());
});

afterAll(async () => {
  await fleet?.stop();
  server.close();
  await receiver.close();
});

describe('a trace', () => {
  it('leads from the viewer through the job to the camera and back, across real processes', async () => {
    const traceId = traceOf('1');
    const camera = `${cameraUrl}/?token=${SECRET}`;
    expect((await api.image(camera, { headers: sampled(traceId) })).status).toBe(200);
    await expect
      .poll(() => treeOf(traceId), SOON)
      .toEqual(
        [
          'viewer > lastframe-api GET /images',
          'lastframe-api GET /images > lastframe-api frame read',
          'lastframe-api GET /images > lastframe-api refresh requested',
          'lastframe-api refresh requested > lastframe-worker refresh',
          'lastframe-worker refresh > lastframe-worker call',
          'lastframe-worker refresh > lastframe-worker connect',
          'lastframe-worker refresh > lastframe-worker permit',
          'lastframe-worker refresh > lastframe-worker store',
          // On each api process that receives it; the one with a waiting viewer reads the frame.
          'lastframe-worker store > lastframe-api announcement received',
          'lastframe-worker store > lastframe-api announcement received',
          'lastframe-api announcement received > lastframe-api frame read',
        ].toSorted(),
      );
    const spans = spansOf(traceId);
    const attributesOf = (name: string) => spans.find((span) => span.name === name)?.attributes;
    expect(attributesOf('GET /images')).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/images',
      'http.response.status_code': 200,
      'lastframe.cache': expect.stringContaining('stored'),
    });
    expect(attributesOf('refresh')).toMatchObject({ 'lastframe.outcome': 'captured' });
    expect(new Set(spans.map(({ attributes }) => attributes['lastframe.camera_id'])).size).toBe(1);
  });

  it('links the viewers that share one call', async () => {
    const traceIds = ['2', '3', '4'].map(traceOf);
    const viewers = traceIds.map((traceId) =>
      api.image(`${cameraUrl}/waits`, { headers: sampled(traceId) }),
    );
    await expect.poll(() => heldResponses.length, SOON).toBe(1);
    const waiters = async () => {
      const metrics = await (await fetch(`${api.opsUrl}/metrics`)).text();
      return /^lastframe_waiters (\d+)/m.exec(metrics)?.[1];
    };
    await expect.poll(waiters, SOON).toBe('3');
    heldResponses[0]?.();
    expect((await Promise.all(viewers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const requests = () => traceIds.flatMap(spansOf).filter(({ kind }) => kind === SERVER);
    await expect.poll(() => requests().length, SOON).toBe(3);
    const caused = () => receiver.spans.flatMap((span) => [...span.links, span.parentSpanId]);
    for (const { spanId } of requests()) await expect.poll(caused, SOON).toContain(spanId);
  });

  it('that its viewer does not sample is never recorded, nor started again by a worker', async () => {
    const [unsampled, next] = [traceOf('5'), traceOf('6')];
    await api.image(`${cameraUrl}/a`, { headers: notSampled(unsampled) });
    await api.image(`${cameraUrl}/b`, { headers: sampled(next) });
    await expect.poll(() => treeOf(next).length, SOON).toBe(11);
    expect(spansOf(unsampled)).toEqual([]);
    const known = ['1', '2', '3', '4', '6'].map(traceOf);
    const refreshes = receiver.spans.filter(({ name }) => name === 'refresh');
    expect(refreshes.filter(({ traceId }) => !known.includes(traceId))).toEqual([]);
  });

  it('reaches no camera, and reveals no camera URL to the collector', () => {
    expect(calls).toHaveLength(4);
    expect(calls.filter(({ traceparent, tracestate }) => traceparent ?? tracestate)).toEqual([]);
    expect(receiver.text).not.toContain(SECRET);
    expect(receiver.text).not.toContain(cameraUrl);
  });

  it('that is still pending is sent when the process ends', async () => {
    const traceId = traceOf('7');
    await api.image(`${cameraUrl}/a`, { headers: sampled(traceId) });
    const ended = api.end();
    expect(await ended).toBe(0);
    expect(treeOf(traceId)).toEqual(['viewer > lastframe-api GET /images']);
  });
});

it('an unreachable collector costs one log line and delays neither viewers nor shutdown', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}/${SECRET}` };
  const lonely = await startFleet({ intervalMs: 500, env });
  try {
    const viewed = lonely.apis[0] as Api;
    const children = [viewed, ...lonely.workers];
    const camera = lonely.slow.camera('a');
    expect((await viewed.image(camera)).status).toBe(200);
    await Promise.all(children.map((child) => child.waitForLog('sending traces failed', 30_000)));
    const callsBefore = (await lonely.slow.calls()).length;
    const callsSince = async () => {
      expect((await viewed.image(camera)).status).toBe(200);
      return (await lonely.slow.calls()).length - callsBefore;
    };
    await expect.poll(callsSince, SOON).toBeGreaterThan(3);
    expect(await Promise.all(children.map((child) => child.end()))).toEqual([0, 0]);
    for (const { logs } of children) {
      expect(logs.filter(({ msg }) => msg === 'sending traces failed')).toHaveLength(1);
      expect(JSON.stringify(logs)).not.toContain(SECRET);
    }
    await lonely.check();
  } finally {
    await lonely.stop();
  }
});

const SERVER = 2;

const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);

/** Lists each span with its parent. The reads of a waiting request, one a second, count once. */
function treeOf(traceId: string): string[] {
  const spans = spansOf(traceId);
  const nameOf = ({ service, name }: ReceivedSpan) => `${service} ${name}`;
  const parentOf = ({ parentSpanId }: ReceivedSpan) => {
    if (parentSpanId === VIEWER_SPAN) return 'viewer';
    const parent = spans.find(({ spanId }) => spanId === parentSpanId);
    return parent ? nameOf(parent) : 'nobody';
  };
  const all = spans.map((span) => `${parentOf(span)} > ${nameOf(span)}`);
  return all
    .filter((line, n) => !line.endsWith('frame read') || all.indexOf(line) === n)
    .toSorted();
}
