import { describe, expect, it } from 'vitest';
import { type ConnectStep, measureSteps } from './connect-steps.ts';

/** Returns the explanation after steps of these lengths; the last one is unfinished. */
function explainAfter(steps: [ConnectStep, number][], withinMs = 3950) {
  let nowMs = 0;
  const measured = measureSteps(() => nowMs);
  for (const [step, ms] of steps) {
    measured.begin(step);
    nowMs += ms;
  }
  return measured.explainTimeout(withinMs);
}

const HELP = 'a larger startAllowance for its source (START_ALLOWANCE) gives it more time';

describe('a connection that takes too long is explained by', () => {
  it.each<[string, [ConnectStep, number][], string, string]>([
    [
      'its lookup',
      [['lookup', 3950]],
      "the name servers did not resolve the camera's host name within 4 s; if they work, ",
      'dns_timeout',
    ],
    [
      'its TCP connection',
      [
        ['lookup', 10],
        ['tcp', 3940],
      ],
      'the camera did not accept the connection within 4 s; if it is switched on and reachable, ',
      'connection_timeout',
    ],
    [
      'its TLS handshake',
      [
        ['lookup', 10],
        ['tcp', 40],
        ['tls', 3900],
      ],
      'no TLS handshake with the camera within 4 s; if this port speaks https, ',
      'connection_timeout',
    ],
    [
      'an earlier step that took longer',
      [
        ['lookup', 3210],
        ['tcp', 40],
        ['tls', 700],
      ],
      'no TLS handshake with the camera within 4 s, of which the DNS lookup took 3.2 s; ',
      'connection_timeout',
    ],
  ])('%s', (_, steps, reason, error) => {
    expect(explainAfter(steps)).toEqual({ reason: `${reason}${HELP}`, error });
  });

  it('milliseconds if it had less than a second', () => {
    expect(explainAfter([['tls', 400]], 400.4).reason).toContain('within 400 ms');
  });
});
