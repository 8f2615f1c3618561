import type { Explanation } from '../explanation.ts';

/** What a connection is waiting for. */
export type ConnectStep = 'lookup' | 'tcp' | 'proxy' | 'tls';

/** Measures the steps of one connection. */
export interface ConnectSteps {
  begin(step: ConnectStep): void;
  /** Explains a connection that was not made within the given time. */
  explainTimeout(withinMs: number): Explanation;
}

const WORDS = {
  lookup: {
    name: 'DNS lookup',
    unfinished: "the name servers did not resolve the camera's host name",
    condition: 'if they work',
  },
  tcp: {
    name: 'TCP connection',
    unfinished: 'the camera did not accept the connection',
    condition: 'if it is switched on and reachable',
  },
  proxy: {
    name: 'proxy',
    unfinished: "no connection through the proxy of the camera's source",
    condition: 'if both are reachable',
  },
  tls: {
    name: 'TLS handshake',
    unfinished: 'no TLS handshake with the camera',
    condition: 'if this port speaks https',
  },
};
const HELP = 'a larger startAllowance for its source (START_ALLOWANCE) gives it more time';

export function measureSteps(nowMs = () => performance.now()): ConnectSteps {
  const startedMs: { step: ConnectStep; atMs: number }[] = [];
  const longest = () => {
    const endMs = nowMs();
    const lengths = startedMs.map(({ step, atMs }, n) => ({
      step,
      ms: (startedMs[n + 1]?.atMs ?? endMs) - atMs,
    }));
    return lengths.toSorted((a, b) => b.ms - a.ms)[0];
  };
  return {
    begin: (step) => startedMs.push({ step, atMs: nowMs() }),
    explainTimeout: (withinMs) => {
      const current = startedMs.at(-1)?.step ?? 'lookup';
      const { unfinished, condition } = WORDS[current];
      const failure = `${unfinished} within ${secondsOf(withinMs)}`;
      const slow = longest();
      const reason =
        slow && slow.step !== current
          ? `${failure}, of which the ${WORDS[slow.step].name} took ${secondsOf(slow.ms)}; ${HELP}`
          : `${failure}; ${condition}, ${HELP}`;
      return { reason, error: current === 'lookup' ? 'dns_timeout' : 'connection_timeout' };
    },
  };
}

function secondsOf(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
