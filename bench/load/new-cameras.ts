import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FloodOptions {
  apiUrls: readonly string[];
  /** Returns the URL of the nth new camera. */
  cameraUrl: (n: number) => string;
  /** How many cameras are requested, once each. */
  cameras: number;
  perSecond: number;
  /** How many clients they seem to come from. */
  clients: number;
}

/** How many requests ended in which way. */
interface Outcomes {
  frames: number;
  /** 503 with `Retry-After`. */
  retryLater: number;
  /** Had waited for longest when too many were open. */
  givenUp: number;
  /** Any other response, or none. */
  others: number;
}

export interface FloodResult extends Outcomes {
  /** The rate that this process could send. */
  sentPerSecond: number;
}

const TICK_MS = 20;
/** More connections would cost the generator and the api processes more than the requests do. */
const MOST_OPEN = 4000;

/** Requests one new camera after the other, at a steady rate, and waits for all responses. */
export async function requestNewCameras(options: FloodOptions): Promise<FloodResult> {
  const { apiUrls, cameraUrl, cameras, perSecond, clients } = options;
  const agent = new Agent({ keepAlive: true });
  const outcomes: Outcomes = { frames: 0, retryLater: 0, givenUp: 0, others: 0 };
  /** Functions that give up the open requests, the oldest first. */
  const open = new Set<() => void>();

  const send = (n: number) => {
    const url = `${apiUrls[n % apiUrls.length]}/images?url=${encodeURIComponent(cameraUrl(n))}`;
    const headers = { 'X-Forwarded-For': clientAddress(n % clients) };
    let outcome: keyof Outcomes = 'others';
    const request = get(url, { agent, headers }, (response) => {
      outcome = outcomeOf(response);
      response.resume();
    });
    const giveUp = () => {
      outcome = 'givenUp';
      request.destroy();
    };
    open.add(giveUp);
    request.on('error', () => {}); // counted when it closes
    request.on('close', () => {
      open.delete(giveUp);
      outcomes[outcome] += 1;
    });
  };
  const giveUpOldest = () => {
    const [oldest] = open;
    if (!oldest) return;
    open.delete(oldest);
    oldest();
  };

  const beganMs = performance.now();
  const sinceMs = () => performance.now() - beganMs;
  for (let sent = 0; sent < cameras; await sleep(TICK_MS)) {
    const due = Math.min(cameras, (perSecond * sinceMs()) / 1000);
    for (; sent < due; sent += 1) {
      if (open.size >= MOST_OPEN) giveUpOldest();
      send(sent);
    }
  }
  const sentPerSecond = (1000 * cameras) / sinceMs();
  while (open.size > 0) await sleep(TICK_MS);
  agent.destroy();
  return { ...outcomes, sentPerSecond };
}

function outcomeOf({ statusCode, headers }: IncomingMessage): keyof Outcomes {
  if (statusCode === 200) return 'frames';
  return statusCode === 503 && headers['retry-after'] ? 'retryLater' : 'others';
}

function clientAddress(client: number): string {
  return `10.0.${Math.floor(client / 256)}.${client % 256}`;
}
