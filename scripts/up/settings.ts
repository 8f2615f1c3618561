import type { Env } from '../env-file.ts';

/** Settings of `make up`, read from the environment before it starts anything. */
export interface Settings {
  apiPort: number;
  /** One per api process. */
  apiOpsPorts: number[];
  reusePort: boolean;
  slowPort: number;
  workerOpsPort: number;
  /** An external Redis; undefined for a private one. */
  redisUrl: string | undefined;
}

export type SettingsOutcome = { ok: true; settings: Settings } | { ok: false; faults: string[] };

const API_PROCESSES = 3;

export function readSettings(env: Env, platform: NodeJS.Platform): SettingsOutcome {
  const faults: string[] = [];
  const port = (name: string, preset: number, least = 1) => {
    const text = env[name]?.trim() || String(preset);
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= 65_535) return value;
    faults.push(`${name} is "${text}", expected a port from ${least} to 65535`);
    return preset;
  };
  // Only Linux distributes the connections of a shared port among processes.
  const reusePort = platform === 'linux';
  const processes = reusePort ? API_PROCESSES : 1;
  const workerOpsPort = port('OPS_PORT', 9089, 1 + API_PROCESSES);
  const settings = {
    apiPort: port('PORT', 8088),
    apiOpsPorts: Array.from({ length: processes }, (_, index) => workerOpsPort - 1 - index),
    reusePort,
    slowPort: port('SLOW_PORT', 8888),
    workerOpsPort,
    redisUrl: env.REDIS_URL?.trim() || undefined,
  };
  return faults.length === 0 ? { ok: true, settings } : { ok: false, faults };
}

/** A port that must be free, and the variable that moves it. */
export interface NeededPort {
  port: number;
  variable: string;
  /** Another value of the variable, to suggest. */
  instead: number;
  purpose: string;
}

export function neededPorts(settings: Settings): NeededPort[] {
  const { apiPort, slowPort, workerOpsPort, apiOpsPorts } = settings;
  const ops = { variable: 'OPS_PORT', instead: otherPort(workerOpsPort) };
  return [
    { port: apiPort, variable: 'PORT', instead: otherPort(apiPort), purpose: 'the api' },
    {
      port: slowPort,
      variable: 'SLOW_PORT',
      instead: otherPort(slowPort),
      purpose: 'the slow server',
    },
    { ...ops, port: workerOpsPort, purpose: "the worker's dashboard" },
    ...apiOpsPorts.map((port) => ({ ...ops, port, purpose: "an api's probes" })),
  ];
}

/** Returns a sentence that a person can act on. */
export function portInUse({ port, variable, instead, purpose }: NeededPort): string {
  return `Port ${port}, for ${purpose}, is in use: stop the process that uses it, or choose another port, e.g. ${variable}=${instead} make up`;
}

function otherPort(port: number): number {
  return port + 1000 <= 65_535 ? port + 1000 : port - 1000;
}
