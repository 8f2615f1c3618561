import { HEALTHS } from '../cameras/camera-health.ts';
import type { ProcessName } from '../settings/variables.ts';

/** One metric. Labels are bounded, by the listed values or as their description says. */
interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  processes: readonly ProcessName[];
  help: string;
  labels: Readonly<Record<string, readonly string[] | string>>;
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  buckets?: readonly number[];
}

const both = ['api', 'worker'] as const;
const api = ['api'] as const;
const worker = ['worker'] as const;
const source = 'name of a source, or origin of a pattern in ALLOWED_SOURCES';
const connection = ['queue', 'permits', 'frames', 'announcements'] as const;
const kind = ['started', 'frame', 'unchanged', 'failure', 'wait'] as const;
/** Purges come from api processes, the others from workers. */
const receivedKind = [...kind, 'purge'] as const;

/** All metrics of Lastframe. Docs, dashboard and alert rules are checked against them. */
export const metricDefinitions = {
  lastframe_build_info: {
    type: 'gauge',
    processes: both,
    help: 'Always 1; its labels identify this process.',
    labels: { process: both, version: 'of Lastframe', node: 'of Node.js' },
  },
  lastframe_redis_connected: {
    type: 'gauge',
    processes: both,
    help: 'Whether a connection to Redis is up (1) or not (0).',
    labels: { connection },
  },
  lastframe_redis_reconnects_total: {
    type: 'counter',
    processes: both,
    help: 'Connections to Redis that were lost and re-established.',
    labels: { connection },
  },

  lastframe_uncaught_errors_total: {
    type: 'counter',
    processes: both,
    help: 'Uncaught errors. The process continues; each one is a bug.',
    labels: {},
  },

  lastframe_requests_total: {
    type: 'counter',
    processes: api,
    help: 'Requests by outcome: a fresh, stale or late frame at once, a frame after a wait, no frame because the fleet or the camera failed, refused, or anything else.',
    labels: {
      outcome: ['fresh', 'stale', 'late', 'waited', 'failed', 'refused', 'other'],
      status: 'the HTTP status',
    },
  },
  lastframe_hit_age_seconds: {
    type: 'histogram',
    processes: api,
    help: 'Age of the frames served at once, since their capture.',
    labels: {},
    buckets: [0.5, 1, 2.5, 5, 10, 15, 30, 60, 300, 900, 3600, 21_600, 86_400],
  },
  lastframe_cold_wait_seconds: {
    type: 'histogram',
    processes: api,
    help: 'Waits for the first frame of a camera, by outcome; aborted waits are not counted.',
    labels: { outcome: ['frame', 'failure', 'wait', 'timeout', 'full'] },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60],
  },
  lastframe_waiters: {
    type: 'gauge',
    processes: api,
    help: 'Requests waiting for a frame now.',
    labels: {},
  },
  lastframe_memory_cache_bytes: {
    type: 'gauge',
    processes: api,
    help: 'Bytes of the frames in the memory cache, with their overhead.',
    labels: {},
  },
  lastframe_memory_cache_limit_bytes: {
    type: 'gauge',
    processes: api,
    help: 'Bytes that the memory cache may hold (MEMORY_LIMIT).',
    labels: {},
  },
  lastframe_memory_cache_frames: {
    type: 'gauge',
    processes: api,
    help: 'Frames in the memory cache.',
    labels: {},
  },
  lastframe_unsent_bytes: {
    type: 'gauge',
    processes: api,
    help: 'Bytes in memory only because clients have not read them yet.',
    labels: {},
  },
  lastframe_unsent_limit_bytes: {
    type: 'gauge',
    processes: api,
    help: 'Bytes that unsent responses may keep in memory (MAX_UNSENT_BYTES); 0 means no limit.',
    labels: {},
  },
  lastframe_answers_cut_total: {
    type: 'counter',
    processes: api,
    help: 'Clients disconnected for reading too slowly: below MIN_SEND_RATE, or the slowest ones when MAX_UNSENT_BYTES was exceeded.',
    labels: { cause: ['rate', 'budget'] },
  },
  lastframe_demand_raised_total: {
    type: 'counter',
    processes: api,
    help: 'Times that demand was raised by requests, streams and cameras kept warm.',
    labels: {},
  },
  lastframe_jobs_added_total: {
    type: 'counter',
    processes: api,
    help: 'Refresh jobs requested; those of one camera and bucket are one job in the queue.',
    labels: { outcome: ['added', 'failed'] },
  },
  lastframe_announcements_heard_total: {
    type: 'counter',
    processes: api,
    help: 'Announcements received by this process.',
    labels: { kind: receivedKind },
  },
  lastframe_announcement_lag_seconds: {
    type: 'histogram',
    processes: api,
    help: 'Time from sending an announcement to receiving it here, by the queue Redis clock as both processes estimate it.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  lastframe_worker_alive: {
    type: 'gauge',
    processes: api,
    help: 'Whether any worker of the fleet takes jobs (1) or none does (0), as seen by this process; missing while the queue Redis is unreachable.',
    labels: {},
  },
  lastframe_queue_jobs: {
    type: 'gauge',
    processes: api,
    help: 'Refresh jobs of the whole fleet, the same on every process; missing while the queue Redis is unreachable.',
    labels: { state: ['waiting', 'active'] },
  },

  lastframe_streams_open: {
    type: 'gauge',
    processes: api,
    help: 'Open streams in this process.',
    labels: {},
  },
  lastframe_streams_limit: {
    type: 'gauge',
    processes: api,
    help: 'Limit of open streams in this process (MAX_STREAMS).',
    labels: {},
  },
  lastframe_cameras: {
    type: 'gauge',
    processes: api,
    help: 'Named cameras by health, for the whole fleet: the same on every process.',
    labels: { health: HEALTHS },
  },

  lastframe_jobs_total: {
    type: 'counter',
    processes: worker,
    help: 'Refresh jobs by outcome.',
    labels: {
      outcome: [
        'captured',
        'unchanged',
        'overtaken',
        'denied',
        'dropped',
        'aborted',
        'failed',
        'error',
      ],
    },
  },
  lastframe_jobs_stalled_total: {
    type: 'counter',
    processes: worker,
    help: 'Jobs run again because their worker was lost.',
    labels: {},
  },
  lastframe_permits_total: {
    type: 'counter',
    processes: worker,
    help: 'Permit requests: granted, denied for a reason, or of unknown outcome.',
    labels: { outcome: ['granted', 'busy', 'spaced', 'backoff', 'budget', 'hold', 'unknown'] },
  },
  lastframe_permit_wait_seconds: {
    type: 'histogram',
    processes: worker,
    help: 'Time from requesting a job to the grant of its permit: in the queue, and waiting in the worker.',
    labels: {},
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  lastframe_hold_off_seconds: {
    type: 'gauge',
    processes: worker,
    help: 'Time until the cameras of a source may be called, because the queue Redis may have lost permits; 0 if they may be called now.',
    labels: { source },
  },
  lastframe_queue_redis_fit: {
    type: 'gauge',
    processes: worker,
    help: 'Whether the queue Redis is healthy enough for camera calls (1), or this worker has suspended them (0); /readyz says why.',
    labels: {},
  },
  lastframe_frames_redis_used_ratio: {
    type: 'gauge',
    processes: worker,
    help: 'Share of its maxmemory that the frames Redis uses; on a Cluster, that of its fullest node. Above 0.7, new cameras that are not in SOURCES_FILE are refused. Missing if Redis has no limit or evicts.',
    labels: {},
  },
  lastframe_new_cameras_refused_total: {
    type: 'counter',
    processes: worker,
    help: 'Refreshes of new cameras that were refused: the source has reached maxCameras (places), or Redis has no memory left (memory).',
    labels: { source, bound: ['places', 'memory'] },
  },
  lastframe_frames_refused_total: {
    type: 'counter',
    processes: worker,
    help: 'Captured frames that were not stored because Redis has no memory left: the first of a camera, or one larger than the last.',
    labels: { frame: ['first', 'larger'] },
  },
  lastframe_upstream_calls_total: {
    type: 'counter',
    processes: worker,
    help: 'Calls to cameras, including attempts, by outcome.',
    labels: {
      source,
      outcome: [
        'captured',
        'unchanged',
        'failed',
        'timeout',
        'challenged',
        'no_room',
        'unreachable',
        'refused',
        'aborted',
      ],
    },
  },
  lastframe_upstream_calls_open: {
    type: 'gauge',
    processes: worker,
    help: 'Calls of this worker in flight.',
    labels: {},
  },
  lastframe_upstream_call_seconds: {
    type: 'histogram',
    processes: worker,
    help: 'Duration of calls, from sending the request to the last byte or the failure.',
    labels: { source },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60],
  },
  lastframe_upstream_frame_bytes: {
    type: 'histogram',
    processes: worker,
    help: 'Size of the images that cameras sent.',
    labels: { source },
    buckets: [4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 8_388_608, 16_777_216],
  },
  lastframe_announcements_sent_total: {
    type: 'counter',
    processes: worker,
    help: 'Announcements sent by this worker.',
    labels: { kind },
  },
} as const satisfies Record<string, MetricDefinition>;

type Definitions = typeof metricDefinitions;
type MetricType = MetricDefinition['type'];

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
