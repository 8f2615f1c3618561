import type { Env } from '@lastframe/shared/settings/config';
import { settingsReader } from '../settings-reader.ts';

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

const API_PROCESSES = 3;

/** @throws Error with a line for each fault */
export function readSettings(env: Env, platform: NodeJS.Platform): Settings {
  const { port, check } = settingsReader(env);
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
  check();
  return settings;
}

/** A port that must be free, and the variable that moves it, with its value. */
export interface NeededPort {
  port: number;
  purpose: string;
  variable: string;
  value: number;
}

export function neededPorts(settings: Settings): NeededPort[] {
  const { apiPort, slowPort, workerOpsPort, apiOpsPorts } = settings;
  const ops = { variable: 'OPS_PORT', value: workerOpsPort };
  return [
    { port: apiPort, purpose: 'the api', variable: 'PORT', value: apiPort },
    { port: slowPort, purpose: 'the slow server', variable: 'SLOW_PORT', value: slowPort },
    { port: workerOpsPort, purpose: "the worker's dashboard", ...ops },
    ...apiOpsPorts.map((port) => ({ port, purpose: "an api's probes", ...ops })),
  ];
}

/** Returns a sentence that a person can act on. */
export function portInUse({ port, purpose, variable, value }: NeededPort): string {
  const instead = value + 1000 <= 65_535 ? value + 1000 : value - 1000;
  return `Port ${port}, for ${purpose}, is in use: stop the process that uses it, or choose another port, e.g. ${variable}=${instead} make up`;
}
