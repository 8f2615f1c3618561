import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { keysFor } from '@lastframe/shared/redis/keys';
import { createClient } from 'redis';
import { image } from '../../../../worker/src/test-support/images.ts';
import { type Attacker, nth, openRequest, pathFor, runPerSecond } from './attacker.ts';

const CAMERAS = 40;
/** An address of its own, so that other attackers' streams do not count towards its limits. */
const ADDRESS = '127.0.0.3';
const STREAM_MS = 2000;

/** The malformed fields of a stored frame. */
const FAULTS: readonly Record<string, string>[] = [
  { capturedAt: 'NaN', startedAt: 'NaN', changedAt: 'NaN' },
  ...['1e308', 'Infinity'].map((changedAt) => ({ changedAt })),
  { capturedAt: '-1e300' },
  { startedAt: '99999999999999999999' },
  { type: 'text/html', bytes: '<script>alert(1)</script>' },
  ...['image/jpeg\r\nSet-Cookie: a=b', 'image/jpeg\u0100', ''].map((type) => ({ type })),
  ...['', '"a\r\nX-Injected: 1"', '"\u0100\u{1f600}"', 'no quotes'].map((etag) => ({ etag })),
  { bytes: '' },
  { width: 'NaN', height: '-1' },
];
const MESSAGES = [
  ...['', '{', '[]', 'null', '{"kind":"frame"}'],
  '{"kind":"failed","reason":"a\\r\\nb"}',
];
const FAILURE = '{"status":99,"code":"x\\r\\nX-Injected: 1","detail":"\\u0100","nextMs":1e308}';

/** Writes malformed frames, failures and announcements to Redis and requests their cameras. */
export function malformedRecords(attacker: Attacker): void {
  const { apis, camera, redisUrl, redisPrefix, requestImage } = attacker;
  const client = createClient({ url: redisUrl });
  client.on('error', () => {});
  const connected = client.connect();
  const keys = keysFor(redisPrefix);
  runPerSecond(6, async (turn) => {
    await connected;
    const url = `${camera}/public/missing/malformed-${turn % CAMERAS}`;
    const cameraId = cameraIdOf(url);
    const frame = { ...goodFrame(), ...nth(FAULTS, turn) };
    await client.del(keys.frame(cameraId));
    await client.hSet(keys.frame(cameraId), frame);
    await client.pExpire(keys.frame(cameraId), 30_000);
    if (turn % 5 === 0) await client.set(keys.failure(cameraId), FAILURE, { PX: 30_000 });
    await client.publish(keys.channel(cameraId), nth(MESSAGES, turn));
    const times = { startedAgoMs: 0, capturedAgoMs: 0, nextMs: 0 };
    const valid = { kind: 'frame', cameraId, etag: '"x"', ...times };
    await client.publish(keys.channel(cameraId), JSON.stringify(valid));
    const stream = pathFor(turn % 2 === 0 ? '/events' : '/stream', url);
    const socket = openRequest(nth(apis, turn), stream, ADDRESS).resume();
    setTimeout(() => socket.destroy(), STREAM_MS);
    // Three times on one connection: the second response may come from the fast path.
    for (let again = 0; again < 3; again += 1) await requestImage(turn, url);
  });
}

function goodFrame() {
  const now = String(Date.now());
  return {
    v: '1',
    startedAt: now,
    capturedAt: now,
    changedAt: now,
    type: 'image/jpeg',
    etag: '"sha256-00000000000000000000000000000000"',
    bytes: image('jpeg'),
  };
}
