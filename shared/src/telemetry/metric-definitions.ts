import { HEALTHS } from '../cameras/camera-health.ts';
import type { ProcessName } from '../settings/variables.ts';

/** One metric. Its labels are bounded: by the values listed, or by what the words say. */
interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  who: readonly ProcessName[];
  help: string;
  labels: Readonly<Record<string, readonly string[] | string>>;
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  buckets?: readonly number[];
}

const both = ['api', 'worker'] as const;
const api = ['api'] as const;
const worker = ['worker'] as const;
const source = 'the name of a source, or the origin of a pattern of ALLOWED_SOURCES';
const connection = ['queue', 'permits', 'frames', 'announcements'] as const;
const kind = ['started', 'frame', 'unchanged', 'failure', 'wait'] as const;
/** An api process purges, the others come from workers. */
const heardKind = [...kind, 'purge'] as const;

/** Every metric of ours: what docs, dashboard and alert rules are checked against. */
export const metricDefinitions = {
  lastframe_build_info: {
    type: 'gauge',
    who: both,
    help: 'Always 1; its labels say what this process is.',
    labels: { process: both, version: 'of Lastframe', node: 'of Node.js' },
  },
  lastframe_redis_connected: {
    type: 'gauge',
    who: both,
    help: 'Whether a connection to Redis is up (1) or not (0).',
    labels: { connection },
  },
  lastframe_redis_reconnects_total: {
    type: 'counter',
    who: both,
    help: 'Connections to Redis that came back after they were lost.',
    labels: { connection },
  },

  lastframe_event_loop_lag_seconds: {
    type: 'gauge',
    who: both,
    help: 'How late the event loop was since the last scrape: as a median, at the 99th percentile, at most.',
    labels: { percentile: ['50', '99', '100'] },
  },

  lastframe_uncaught_errors_total: {
    type: 'counter',
    who: both,
    help: 'Errors that no part of the program caught. The process goes on; each one is a bug.',
    labels: {},
  },

  lastframe_requests_total: {
    type: 'counter',
    who: api,
    help: 'Requests answered: with a fresh, stale or late frame at once, with one that was waited for, without a frame because the fleet or the camera failed, refused, or with something else.',
    labels: {
      outcome: ['fresh', 'stale', 'late', 'waited', 'failed', 'refused', 'other'],
      status: 'the HTTP status',
    },
  },
  lastframe_hit_age_seconds: {
    type: 'histogram',
    who: api,
    help: 'Age of the frames that were served at once, since their capture.',
    labels: {},
    buckets: [0.5, 1, 2.5, 5, 10, 15, 30, 60, 300, 900, 3600, 21_600, 86_400],
  },
  lastframe_cold_wait_seconds: {
    type: 'histogram',
    who: api,
    help: 'Waits for the first frame of a camera, by how they ended; those that were broken off are not counted.',
    labels: { outcome: ['frame', 'failure', 'wait', 'timeout', 'full'] },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60],
  },
  lastframe_waiters: {
    type: 'gauge',
    who: api,
    help: 'Requests that wait for a frame now.',
    labels: {},
  },
  lastframe_memory_cache_bytes: {
    type: 'gauge',
    who: api,
    help: 'Bytes of the frames in the memory cache, with their overhead.',
    labels: {},
  },
  lastframe_memory_cache_limit_bytes: {
    type: 'gauge',
    who: api,
    help: 'Bytes that the memory cache may hold (MEMORY_LIMIT).',
    labels: {},
  },
  lastframe_memory_cache_frames: {
    type: 'gauge',
    who: api,
    help: 'Frames in the memory cache.',
    labels: {},
  },
  lastframe_unsent_bytes: {
    type: 'gauge',
    who: api,
    help: 'Bytes that are in memory only because clients have not taken them yet.',
    labels: {},
  },
  lastframe_unsent_limit_bytes: {
    type: 'gauge',
    who: api,
    help: 'Bytes that unsent answers may keep in memory (MAX_UNSENT_BYTES); 0 is no bound.',
    labels: {},
  },
  lastframe_answers_cut_total: {
    type: 'counter',
    who: api,
    help: 'Clients that were disconnected because they read too slowly: below MIN_SEND_RATE, or as the slowest ones beyond MAX_UNSENT_BYTES.',
    labels: { cause: ['rate', 'budget'] },
  },
  lastframe_demand_raised_total: {
    type: 'counter',
    who: api,
    help: 'Times that demand was raised: by requests, streams and cameras that are kept warm.',
    labels: {},
  },
  lastframe_jobs_added_total: {
    type: 'counter',
    who: api,
    help: 'Refresh jobs asked for; those of one camera and bucket are one job in the queue.',
    labels: { outcome: ['added', 'failed'] },
  },
  lastframe_announcements_heard_total: {
    type: 'counter',
    who: api,
    help: 'Announcements heard by this process.',
    labels: { kind: heardKind },
  },
  lastframe_announcement_lag_seconds: {
    type: 'histogram',
    who: api,
    help: 'From the sending of an announcement to its hearing here, by the clock of the queue Redis as both know it.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  lastframe_worker_alive: {
    type: 'gauge',
    who: api,
    help: 'Whether some worker of the fleet takes jobs (1) or none does (0), as this process sees it; missing while the queue Redis is away.',
    labels: {},
  },
  lastframe_queue_jobs: {
    type: 'gauge',
    who: api,
    help: 'Refresh jobs of the whole fleet, the same on every process; missing while the queue Redis is away.',
    labels: { state: ['waiting', 'active'] },
  },

  lastframe_streams_open: {
    type: 'gauge',
    who: api,
    help: 'Streams that are open in this process.',
    labels: {},
  },
  lastframe_streams_limit: {
    type: 'gauge',
    who: api,
    help: 'Streams that this process may have open (MAX_STREAMS).',
    labels: {},
  },
  lastframe_cameras: {
    type: 'gauge',
    who: api,
    help: 'Named cameras by health, for the whole fleet: the same on every process.',
    labels: { health: HEALTHS },
  },

  lastframe_jobs_total: {
    type: 'counter',
    who: worker,
    help: 'Refresh jobs by how they ended.',
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
    who: worker,
    help: 'Jobs whose worker was lost and that run again.',
    labels: {},
  },
  lastframe_permits_total: {
    type: 'counter',
    who: worker,
    help: 'Permits asked for: granted, denied for a reason, or without a sure answer.',
    labels: { outcome: ['granted', 'busy', 'spaced', 'backoff', 'budget', 'hold', 'unknown'] },
  },
  lastframe_permit_wait_seconds: {
    type: 'histogram',
    who: worker,
    help: 'From the asking for a job to the grant of its permit: the queue and the wait in place.',
    labels: {},
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  lastframe_hold_off_seconds: {
    type: 'gauge',
    who: worker,
    help: 'How much longer no camera of a source is called, because the queue Redis may have lost permits; 0 when they may be called.',
    labels: { source },
  },
  lastframe_queue_redis_fit: {
    type: 'gauge',
    who: worker,
    help: 'Whether the queue Redis is fit for the promise (1), or this worker calls no camera (0); /readyz says why.',
    labels: {},
  },
  lastframe_frames_redis_used_ratio: {
    type: 'gauge',
    who: worker,
    help: 'Share of its maxmemory that the frames Redis uses, on a Cluster its fullest node. Above 0.7 new cameras that are not in SOURCES_FILE are refused. Missing where Redis has no bound or evicts.',
    labels: {},
  },
  lastframe_new_cameras_refused_total: {
    type: 'counter',
    who: worker,
    help: 'Requests of refreshes of new cameras that were refused: the source has as many as maxCameras allows (places), or Redis has no memory left (memory).',
    labels: { source, bound: ['places', 'memory'] },
  },
  lastframe_frames_refused_total: {
    type: 'counter',
    who: worker,
    help: 'Frames that were captured, but not stored because Redis has no memory left: the first of a camera, or one larger than the last.',
    labels: { frame: ['first', 'larger'] },
  },
  lastframe_upstream_calls_total: {
    type: 'counter',
    who: worker,
    help: 'Calls to cameras, and attempts at one, by how they ended.',
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
    who: worker,
    help: 'Calls of this worker that are in flight.',
    labels: {},
  },
  lastframe_upstream_call_seconds: {
    type: 'histogram',
    who: worker,
    help: 'Duration of calls, from their sending to the last byte or the failure.',
    labels: { source },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60],
  },
  lastframe_upstream_frame_bytes: {
    type: 'histogram',
    who: worker,
    help: 'Size of the images that the cameras gave.',
    labels: { source },
    buckets: [4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 8_388_608, 16_777_216],
  },
  lastframe_announcements_sent_total: {
    type: 'counter',
    who: worker,
    help: 'Announcements sent by this worker.',
    labels: { kind },
  },
} as const satisfies Record<string, MetricDefinition>;

type Definitions = typeof metricDefinitions;
type MetricType = MetricDefinition['type'];

export type MetricName<T extends MetricType = MetricType> = {
  [N in keyof Definitions]: Definitions[N]['type'] extends T ? N : never;
}[keyof Definitions];

/** The labels of a metric with the values that they may take. */
export type LabelsOf<N extends MetricName> = {
  [L in keyof Definitions[N]['labels']]: Definitions[N]['labels'][L] extends readonly (infer V)[]
    ? V
    : string;
};

/** Every combination of the listed values, with the labels given: what can be known before it happens. */
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

/** The same as the table's own type, without the exact words: for who goes through all of them. */
export const allMetrics: readonly (MetricDefinition & { name: MetricName })[] = Object.entries(
  metricDefinitions,
).map(([name, definition]) => ({ ...definition, name: name as MetricName }));
