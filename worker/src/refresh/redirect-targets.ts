import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisClient, RedisLink } from '@lastframe/shared/redis/redis-link';
import { z } from 'zod';
import type { RedirectTarget } from '../camera-call/redirect.ts';

/**
 * The targets of redirects, for the whole fleet: the next call may be made by another worker. They
 * are optional: without one, the camera's own URL is called.
 */
export interface RedirectTargets {
  read(camera: Camera): Promise<RedirectTarget | undefined>;
  remember(camera: Camera, target: RedirectTarget): Promise<void>;
  forget(camera: Camera): Promise<void>;
}

const DEADLINE_MS = 1000;
const PERMANENT_MS = 24 * 3_600_000;
/** For a call that has to wait. An older target may be an older picture. */
const WAIT_MS = 60_000;

export function createRedirectTargets(
  redis: Pick<RedisLink, 'run'>,
  keys: Pick<Keys, 'redirect'>,
): RedirectTargets {
  const run = <T>(command: (client: RedisClient) => Promise<T>) =>
    redis.run(DEADLINE_MS, command).catch(() => undefined);
  return {
    read: async (camera) => {
      if (camera.source.redirects === 'none') return undefined;
      const sealed = await run((client) => client.get(keys.redirect(camera.cameraId)));
      return typeof sealed === 'string' ? unseal(sealed, camera) : undefined;
    },
    remember: async (camera, target) => {
      const lifeMs = target.isPermanent ? PERMANENT_MS : 2 * spacingMs(camera.source) + WAIT_MS;
      const options = { expiration: { type: 'PX' as const, value: Math.ceil(lifeMs) } };
      const sealed = seal(target, camera);
      await run((client) => client.set(keys.redirect(camera.cameraId), sealed, options));
    },
    forget: async ({ cameraId }) => {
      await run((client) => client.del(keys.redirect(cameraId)));
    },
  };
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A target may reveal the URL of a named camera, which must not be in Redis. So it is encrypted with
 * that URL, which each worker reads from its own file.
 */
function keyOf({ url }: Camera): Buffer {
  return createHash('sha256').update(`redirect ${url}`).digest();
}

function seal(target: RedirectTarget, camera: Camera): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(camera), iv, { authTagLength: TAG_BYTES });
  const sealed = Buffer.concat([cipher.update(JSON.stringify(target)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
}

const format = z.object({
  url: z.url({ protocol: /^https?$/ }),
  hops: z.int().min(1),
  isPermanent: z.boolean(),
});

function unseal(text: string, camera: Camera): RedirectTarget | undefined {
  try {
    const bytes = Buffer.from(text, 'base64');
    const iv = bytes.subarray(0, IV_BYTES);
    const decipher = createDecipheriv(ALGORITHM, keyOf(camera), iv, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const opened = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8');
    return format.safeParse(JSON.parse(opened + decipher.final('utf8'))).data;
  } catch {
    return undefined; // the camera's URL has changed, or the record is malformed
  }
}
