import { DURATION_FORM, parseDurationMs } from '@lastframe/shared/settings/units';
import type { Env } from '../env-file.ts';

export interface LoadSettings {
  /** The camera's frame, served by the api. */
  url: string;
  /** The camera itself. */
  cameraUrl: string;
  callsUrl: string;
  durationMs: number;
  connections: number;
}

export type LoadSettingsOutcome =
  | { ok: true; settings: LoadSettings }
  | { ok: false; faults: string[] };

export function readLoadSettings(env: Env): LoadSettingsOutcome {
  const faults: string[] = [];
  const read = (name: string, preset: string, expected: string, parse: Parse) => {
    const text = env[name]?.trim() || preset;
    const value = parse(text);
    if (value === undefined) faults.push(`${name} is "${text}", expected ${expected}`);
    return value ?? 0;
  };
  const apiPort = read('PORT', '8088', 'a port from 1 to 65535', wholeNumber(65_535));
  const slowPort = read('SLOW_PORT', '8888', 'a port from 1 to 65535', wholeNumber(65_535));
  const cameraUrl = `http://localhost:${slowPort}/image`;
  const settings = {
    url: `http://localhost:${apiPort}/images?url=${encodeURIComponent(cameraUrl)}`,
    cameraUrl,
    callsUrl: `http://localhost:${slowPort}/calls`,
    durationMs: read('DURATION', '10s', DURATION_FORM, parseDurationMs),
    connections: read('CONNECTIONS', '100', 'a number from 1 to 10000', wholeNumber(10_000)),
  };
  return faults.length === 0 ? { ok: true, settings } : { ok: false, faults };
}

type Parse = (text: string) => number | undefined;

function wholeNumber(most: number): Parse {
  return (text) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    return value >= 1 && value <= most ? value : undefined;
  };
}
