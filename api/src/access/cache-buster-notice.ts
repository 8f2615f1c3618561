import { cacheBustersIn, withoutCacheBusters } from '@lastframe/shared/cameras/cache-busters';
import { type Camera, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import type { Log } from '@lastframe/shared/process/log';

/** Logs the first cache-buster that each source ignores. @param text the viewer's `url` */
export type NoticeCacheBuster = (text: string, camera: Camera) => void;

const MESSAGE =
  'cache-buster in a URL ignored: URLs that differ only in it are one camera; if it selects the picture, set cacheBusters: keep for this source in SOURCES_FILE';

export function createCacheBusterNotice(log: Log): NoticeCacheBuster {
  const noticed = new Set<string>();
  return (text, { cameraId, url, source }) => {
    if (noticed.has(source.name) || source.query !== 'keep') return;
    const asked = parseCameraUrl(text);
    const plain = withoutCacheBusters(asked);
    // A URL that keeps its cache-busters, as that of a named camera may, is called as written.
    if (plain === asked.search || asked.href === url) return;
    noticed.add(source.name);
    log.info({ source: source.name, cameraId, parameters: cacheBustersIn(asked) }, MESSAGE);
  };
}
