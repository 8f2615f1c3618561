import { HEALTHS } from '../cameras/camera-health.ts';
import type { ProcessName } from '../settings/variables.ts';

/** What the label `source` contains. */
export const SOURCE_LABEL = 'name of a source, or origin of a pattern in ALLOWED_SOURCES';

type MetricType = 'counter' | 'gauge' | 'histogram';

/** Each label with its values, or with a description of them. Their number is bounded. */
type LabelValues = Readonly<Record<string, readonly string[] | string>>;
type NoLabels = Record<never, never>;

interface MetricDefinition<T extends MetricType = MetricType, L extends LabelValues = LabelValues> {
  type: T;
  processes: readonly ProcessName[];
  help: string;
  labels: L;
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  buckets?: readonly number[];
}

/** Returns a function that defines metrics of one type. */
function definer<T extends 'counter' | 'gauge'>(type: T) {
  return <const L extends LabelValues = NoLabels>(
    processes: readonly ProcessName[],
    help: string,
    labels = {} as L,
  ): MetricDefinition<T, L> => ({ type, processes, help, labels });
}

const counter = definer('counter');
const gauge = definer('gauge');
const both = ['api', 'worker'] as const;
const api = ['api'] as const;
const worker = ['worker'] as const;
const source = SOURCE_LABEL;
const connection = ['queue', 'permits', 'frames', 'announcements'] as const;
const kind = ['started', 'frame', 'unchanged', 'failure', 'wait'] as const;
/** Purges come from api processes, the others from workers. */
const receivedKind = [...kind, 'purge'] as const;

/** From a quick camera to one that times out. */
const callSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60];

/** All metrics of Lastframe. Docs, dashboard and alert rules are checked against them. */
export const metricDefinitions = {
  lastframe_build_info: gauge(both, 'Always 1; its labels identify this process.', {
    process: both,
    version: 'of Lastframe',
    node: 'of Node.js',
  }),
  lastframe_redis_connected: gauge(both, 'Whether a connection to Redis is up (1) or not (0).', {
    connection,
  }),
  lastframe_redis_reconnects_total: counter(
    both,
    'Connections to Redis that were lost and re-established.',
    { connection },
  ),

  lastframe_uncaught_errors_total: counter(
    both,
    'Uncaught errors. The process continues; each one is a bug.',
  ),

  lastframe_requests_total: counter(
    api,
    'Requests by outcome: a fresh, stale or late frame at once; a frame after a wait (waited); a 5xx (failed) or 4xx response (refused); anything else (other).',
    {
      outcome: ['fresh', 'stale', 'late', 'waited', 'failed', 'refused', 'other'],
      status: 'the HTTP status',
    },
  ),
  lastframe_hit_age_seconds: histogram(
    api,
    'Age of the frames served at once, since their capture.',
    [0.5, 1, 2.5, 5, 10, 15, 30, 60, 300, 900, 3600, 21_600, 86_400],
  ),
  lastframe_cold_wait_seconds: histogram(
    api,
    'Waits for the first frame of a camera, by outcome; aborted waits are not counted.',
    callSeconds,
    { outcome: ['frame', 'failure', 'wait', 'timeout', 'full'] },
  ),
  lastframe_waiters: gauge(api, 'Requests waiting for a frame now.'),
  lastframe_memory_cache_bytes: gauge(
    api,
    'Bytes of the frames in the memory cache, with their overhead.',
  ),
  lastframe_memory_cache_limit_bytes: gauge(
    api,
    'Bytes that the memory cache may hold (MEMORY_LIMIT).',
  ),
  lastframe_memory_cache_frames: gauge(api, 'Frames in the memory cache.'),
  lastframe_unsent_bytes: gauge(
    api,
    'Bytes in memory only because clients have not read them yet.',
  ),
  lastframe_unsent_limit_bytes: gauge(
    api,
    'Bytes that unsent responses may keep in memory (MAX_UNSENT_BYTES); 0 means no limit.',
  ),
  lastframe_answers_cut_total: counter(
    api,
    'Clients disconnected for reading too slowly: below MIN_SEND_RATE (rate), or the slowest when MAX_UNSENT_BYTES was exceeded (budget).',
    { cause: ['rate', 'budget'] },
  ),
  lastframe_demand_raised_total: counter(
    api,
    'Times that demand was raised by requests, streams and cameras kept warm.',
  ),
  lastframe_jobs_added_total: counter(
    api,
    'Refresh jobs requested; those of one camera and bucket are one job in the queue.',
    { outcome: ['added', 'failed'] },
  ),
  lastframe_behind_seconds: gauge(
    api,
    'How long ago the first refresh in line here became due; 0 while workers keep up.',
  ),
  lastframe_cameras_in_line: gauge(api, 'Due cameras that wait here for a worker.', {
    call: ['refresh', 'first'],
  }),
  lastframe_announcements_heard_total: counter(api, 'Announcements received by this process.', {
    kind: receivedKind,
  }),
  lastframe_announcement_lag_seconds: histogram(
    api,
    'Time from sending an announcement to receiving it here, by the queue Redis clock as both processes estimate it.',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ),
  lastframe_worker_alive: gauge(
    api,
    'Whether any worker of the fleet takes jobs (1) or none (0); missing while the queue Redis is unreachable.',
  ),
  lastframe_queue_jobs: gauge(
    api,
    'Refresh jobs of the whole fleet, the same on every process; missing while the queue Redis is unreachable.',
    { state: ['waiting', 'active'] },
  ),

  lastframe_streams_open: gauge(api, 'Open streams in this process.'),
  lastframe_streams_limit: gauge(api, 'Limit on open streams in this process (MAX_STREAMS).'),
  lastframe_cameras: gauge(
    api,
    'Named cameras by health, for the whole fleet: the same on every process.',
    { health: HEALTHS },
  ),

  lastframe_jobs_total: counter(worker, 'Refresh jobs by outcome.', {
    outcome: [
      'captured',
      'unchanged',
      'overtaken',
      'denied',
      'dropped',
      'aborted',
      'late',
      'failed',
      'error',
    ],
  }),
  lastframe_jobs_stalled_total: counter(worker, 'Jobs run again because their worker was lost.'),
  lastframe_permits_total: counter(
    worker,
    'Permit requests: granted, denied for a reason, or of unknown outcome.',
    { outcome: ['granted', 'busy', 'spaced', 'backoff', 'budget', 'hold', 'unknown'] },
  ),
  lastframe_permit_wait_seconds: histogram(
    worker,
    'Time from requesting a job to the grant of its permit: in the queue, and waiting in the worker.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  ),
  lastframe_hold_off_seconds: gauge(
    worker,
    'Time until the hold-off of a source ends, after the queue Redis may have lost permits; 0 if its cameras may be called.',
    { source },
  ),
  lastframe_queue_redis_fit: gauge(
    worker,
    'Whether the queue Redis is healthy enough for camera calls (1), or this worker has suspended them (0); /readyz says why.',
  ),
  lastframe_frames_redis_used_ratio: gauge(
    worker,
    'Share of its maxmemory that the frames Redis uses; on a Cluster, that of its fullest node. Above 0.7, new cameras that are not in SOURCES_FILE are rejected. Missing if Redis has no limit or evicts.',
  ),
  lastframe_new_cameras_refused_total: counter(
    worker,
    'Refreshes of new cameras that were rejected: the source has reached maxCameras (places), or Redis has no memory left (memory).',
    { source, bound: ['places', 'memory'] },
  ),
  lastframe_frames_refused_total: counter(
    worker,
    'Captured frames that were not stored because Redis has no memory left: the first of a camera, or one larger than the last.',
    { frame: ['first', 'larger'] },
  ),
  lastframe_job_start_seconds: gauge(
    worker,
    'Recent average time from taking a job to the reply about its permit. Above 0.1, this worker takes fewer jobs.',
  ),
  lastframe_worker_overloaded: gauge(
    worker,
    'Whether slow permits have made this worker take fewer jobs within the last 10 s (1) or not (0).',
  ),
  lastframe_upstream_calls_total: counter(
    worker,
    'Calls to cameras by outcome, including attempts that sent no request.',
    {
      source,
      outcome: [
        'captured',
        'unchanged',
        'failed',
        'timeout',
        'challenged',
        'redirected',
        'no_room',
        'unreachable',
        'refused',
        'aborted',
        'late',
      ],
    },
  ),
  lastframe_upstream_calls_open: gauge(worker, 'Calls in flight from this worker.'),
  lastframe_upstream_call_seconds: histogram(
    worker,
    'Duration of calls, from sending the request to the last byte or the failure.',
    callSeconds,
    { source },
  ),
  lastframe_upstream_frame_bytes: histogram(
    worker,
    'Size of the images that cameras sent.',
    [4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 8_388_608, 16_777_216],
    { source },
  ),
  lastframe_announcements_sent_total: counter(worker, 'Announcements sent by this worker.', {
    kind,
  }),
};

function histogram<const L extends LabelValues = NoLabels>(
  processes: readonly ProcessName[],
  help: string,
  buckets: readonly number[],
  labels = {} as L,
): Required<MetricDefinition<'histogram', L>> {
  return { type: 'histogram', processes, help, labels, buckets };
}

type Definitions = typeof metricDefinitions;

export type MetricName<T extends MetricType = MetricType> = {
  [N in keyof Definitions]: Definitions[N]['type'] extends T ? N : never;
}[keyof Definitions];

/** The labels of a metric with their possible values. */
export type LabelsOf<N extends MetricName> = {
  [L in keyof Definitions[N]['labels']]: Definitions[N]['labels'][L] extends readonly (infer V)[]
    ? V
    : string;
};

/** Returns the label combinations known in advance, given the values of some labels. */
export function knownLabels(
  name: MetricName,
  given: Readonly<Record<string, string>> = {},
): Record<string, string>[] {
  const labels: MetricDefinition['labels'] = metricDefinitions[name].labels;
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [label, values]) => {
      const known = given[label] === undefined ? values : [given[label]];
      if (typeof known === 'string') return [];
      return all.flatMap((combination) =>
        known.map((value) => ({ ...combination, [label]: value })),
      );
    },
    [{}],
  );
}

/** All metrics as a list, with loose types for iterating. */
export const allMetrics: readonly (MetricDefinition & { name: MetricName })[] = Object.entries(
  metricDefinitions,
).map(([name, definition]) => ({ ...definition, name: name as MetricName }));
