import { parseRefreshJob, type RefreshJob } from '@lastframe/shared/messages/refresh-job';

/** What the dashboard calls a job: its camera's name, or id. */
export function shownName(payload: unknown): string {
  const job = parsed(payload);
  if (!job) return 'no refresh job';
  return 'name' in job ? job.name : job.cameraId;
}

/** A payload without what may be a secret: of the URL of an unnamed camera, its query. */
export function shownData(payload: unknown): Record<string, unknown> {
  const job = parsed(payload);
  if (!job) return {};
  const { cameraId, askedAtMs } = job;
  const camera = 'name' in job ? { camera: job.name } : { url: withoutQuery(job.url) };
  return { ...camera, cameraId, askedAt: new Date(askedAtMs).toISOString() };
}

function parsed(payload: unknown): RefreshJob | undefined {
  try {
    return parseRefreshJob(payload);
  } catch {
    return undefined;
  }
}

function withoutQuery(text: string): string {
  if (!URL.canParse(text)) return 'no URL';
  const { origin, pathname, search } = new URL(text);
  return `${origin}${pathname}${search && '?…'}`;
}
