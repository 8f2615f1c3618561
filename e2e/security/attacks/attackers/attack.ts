/** Addresses of the fleet and of the hostile cameras. */
export interface Targets {
  apis: readonly string[];
  /** The ops listeners of every api and worker. */
  ops: readonly string[];
  redisUrl: string;
  redisPrefix: string;
  /** A hostile camera; the path selects its response. */
  camera: string;
  /** Servers that send before they receive a request. */
  greeters: readonly string[];
  slowServer: string;
}

/** Starts an attack that lasts until the process ends. `count` records each outcome. */
export type Attack = (targets: Targets, count: CountOutcome) => void;

export type CountOutcome = (outcome: string) => void;

/** Runs `work` at a steady rate; an error in one turn does not stop the others. */
export function runPerSecond(rate: number, work: (turn: number) => unknown): void {
  let turn = 0;
  setInterval(() => {
    turn += 1;
    try {
      Promise.resolve(work(turn)).catch(() => {});
    } catch {
      // attackers ignore errors
    }
  }, 1000 / rate);
}

/** Returns the item for a turn, cycling through all of them. */
export function itemForTurn<T>(items: readonly T[], turn: number): T {
  return items[turn % items.length] as T;
}
