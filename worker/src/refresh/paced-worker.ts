import { type Job, Worker, type WorkerOptions } from 'bullmq';
import type { JobIntake, JobPlace } from './job-intake.ts';

export type ProcessJob = (job: Job, place: JobPlace) => Promise<string>;

/** As many fetches at once as a busy Redis answers in one round trip of a busy worker. */
const MOST_FETCHES = 8;
/** Below the silence after which the connection counts as dead; BullMQ's own limit is 10 s. */
const MAX_BLOCK_S = 5;

/**
 * A BullMQ worker that takes a job only when it can start it. BullMQ's own loop takes up to
 * `concurrency` jobs, one after the other, before it runs the first: with a full queue, the first
 * would be old before it starts.
 */
export class PacedWorker extends Worker {
  readonly #intake: JobIntake;
  readonly #places: Map<string, JobPlace>;
  readonly #running = new Set<Promise<void>>();
  #fetches = 0;
  /** In a row. */
  #failures = 0;

  constructor(name: string, process: ProcessJob, intake: JobIntake, options: WorkerOptions) {
    const places = new Map<string, JobPlace>();
    super(name, (job, token = '') => process(job, places.get(token) as JobPlace), options);
    this.#places = places;
    this.#intake = intake;
  }

  override async run(): Promise<void> {
    this.running = true;
    try {
      if (this.closing || this.paused) return;
      await this.startStalledCheckTimer();
      this.lockManager.start();
      // Closing the worker waits for it.
      this.mainLoopRunning = this.#takeJobs();
      await this.mainLoopRunning;
    } finally {
      this.running = false;
    }
  }

  async #takeJobs(): Promise<void> {
    let width = 1;
    while (!this.closing && !this.paused) {
      await this.#intake.free();
      const places = Array.from({ length: width }, () => this.#intake.reserve());
      const fetches = places.flatMap((place) => (place ? [this.#takeJob(place)] : []));
      const found = await Promise.all(fetches);
      // Only the first waits for a job; the others would find the queue empty.
      width = found.every(Boolean) ? Math.min(MOST_FETCHES, 2 * width) : 1;
    }
    await Promise.allSettled(this.#running);
  }

  /** Returns whether there was a job. */
  async #takeJob(place: JobPlace): Promise<boolean> {
    this.#fetches += 1;
    const token = `${this.id}:${this.#fetches}`;
    const job = await this.#nextJob(token);
    if (!job) {
      place.end();
      return false;
    }
    const work = this.#work(job, token, place).finally(() => this.#running.delete(work));
    this.#running.add(work);
    return true;
  }

  async #nextJob(token: string): Promise<Job | undefined> {
    try {
      const job = await this.getNextJob(token);
      this.#failures = 0;
      return job;
    } catch (error) {
      this.emit('error', error as Error);
      this.#failures += 1;
      // A single failure may be a job that cannot be read, which is out of the way now.
      if (this.#failures > 1 && !this.closing) await this.delay(this.opts.runRetryDelay);
      return undefined;
    }
  }

  /** Runs a job, then the one that came with the reply to its end, and so on. */
  async #work(first: Job, token: string, firstPlace: JobPlace): Promise<void> {
    let place: JobPlace | undefined = firstPlace;
    let job: Job | undefined = first;
    while (job && place) {
      let following: JobPlace | undefined;
      const current: JobPlace = place;
      const wantsNext = () => {
        current.end();
        following ??= this.closing ? undefined : this.#intake.reserve();
        return following !== undefined;
      };
      this.#places.set(token, current);
      current.begin();
      job = (await this.processJob(job, token, wantsNext).catch(() => undefined)) ?? undefined;
      current.end();
      if (!job) following?.end();
      place = following;
    }
    this.#places.delete(token);
  }

  protected override getBlockTimeout(blockUntil: number): number {
    return Math.min(MAX_BLOCK_S, super.getBlockTimeout(blockUntil));
  }
}
