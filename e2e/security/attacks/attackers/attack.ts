/** Where an attacker finds the fleet and the hostile cameras. */
export interface Targets {
  apis: readonly string[];
  /** The ops listeners of every api and worker. */
  ops: readonly string[];
  redisUrl: string;
  redisPrefix: string;
  /** A hostile camera whose path says how it answers. */
  camera: string;
  /** Servers that speak before they are asked. */
  greeters: readonly string[];
  slowServer: string;
}

/** Begins an attack that goes on until the process ends. `count` takes a note of each outcome. */
export type Attack = (targets: Targets, count: Count) => void;

export type Count = (outcome: string) => void;

/** Runs `work` at a steady rate; what one turn does wrong does not end the others. */
export function perSecond(rate: number, work: (turn: number) => unknown): void {
  let turn = 0;
  setInterval(() => {
    turn += 1;
    try {
      Promise.resolve(work(turn)).catch(() => {});
    } catch {
      // an attacker takes no notice
    }
  }, 1000 / rate);
}

/** The item whose turn it is. */
export function nth<T>(items: readonly T[], turn: number): T {
  return items[turn % items.length] as T;
}
