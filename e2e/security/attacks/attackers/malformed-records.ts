import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import { image } from '../../../../worker/src/test-support/images.ts';
import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, openSocket, requestAndCount } from './requests.ts';

const PER_SECOND = 6;
const CAMERAS = 40;
/** An address of its own, so that other attackers' streams do not count towards its limits. */
const ADDRESS = '127.0.0.3';
const STREAM_MS = 2000;

const now = () => String(Date.now());
const good = () => ({
  v: '1',
  startedAt: now(),
  capturedAt: now(),
  changedAt: now(),
  type: 'image/jpeg',
  etag: '"sha256-00000000000000000000000000000000"',
  bytes: image('jpeg'),
});

/** The malformed fields of a stored frame. */
const FAULTS: readonly Record<string, string>[] = [
  { capturedAt: 'NaN', startedAt: 'NaN', changedAt: 'NaN' },
  { changedAt: '1e308' },
  { changedAt: 'Infinity' },
  { capturedAt: '-1e300' },
  { startedAt: '99999999999999999999' },
  { type: 'text/html', bytes: '<script>alert(1)</script>' },
  { type: 'image/jpeg\r\nSet-Cookie: a=b' },
  { type: 'image/jpeg\u0100' },
  { etag: '' },
  { etag: '"a\r\nX-Injected: 1"' },
  { etag: '"\u0100\u{1f600}"' },
  { etag: 'no quotes' },
  { bytes: '' },
  { width: 'NaN', height: '-1' },
  { type: '' },
];
const MESSAGES = [
  '',
  '{',
  '[]',
  'null',
  '{"kind":"frame"}',
  '{"kind":"failed","reason":"a\\r\\nb"}',
];
const FAILURE = '{"status":99,"code":"x\\r\\nX-Injected: 1","detail":"\\u0100","nextMs":1e308}';

/** Writes malformed frames, failures and announcements to Redis and requests their cameras. */
export const malformedRecords: Attack = ({ apis, camera, redisUrl, redisPrefix }, count) => {
  const client = createClient({ url: redisUrl });
  client.on('error', () => {});
  const connected = client.connect();
  const keys = keysFor(redisPrefix);
  runPerSecond(PER_SECOND, async (turn) => {
    await connected;
    const url = `${camera}/public/missing/malformed-${turn % CAMERAS}`;
    const cameraId = cameraIdOf(url);
    const fault = itemForTurn(FAULTS, turn);
    await client.del(keys.frame(cameraId));
    await client.hSet(keys.frame(cameraId), { ...good(), ...fault });
    await client.pExpire(keys.frame(cameraId), 30_000);
    if (turn % 5 === 0) await client.set(keys.failure(cameraId), FAILURE, { PX: 30_000 });
    await client.publish(keys.channel(cameraId), itemForTurn(MESSAGES, turn));
    const valid = {
      kind: 'frame',
      cameraId,
      etag: '"x"',
      startedAgoMs: 0,
      capturedAgoMs: 0,
      nextMs: 0,
    };
    await client.publish(keys.channel(cameraId), JSON.stringify(valid));
    const path = turn % 2 === 0 ? '/events' : '/stream';
    openBriefly(itemForTurn(apis, turn), imageTarget(url).replace('/images', path));
    // Three times on one connection: the second response may come from the fast path.
    for (let again = 0; again < 3; again += 1) {
      await requestAndCount(itemForTurn(apis, turn), imageTarget(url), count);
    }
  });
};

function openBriefly(api: string, target: string): void {
  const socket = openSocket(api, ADDRESS);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  socket.resume();
  setTimeout(() => socket.destroy(), STREAM_MS);
}
