import type { Env } from '@lastframe/shared/settings/config';
import { DURATION_FORM, parseDurationMs } from '@lastframe/shared/settings/units';

/**
 * Returns readers for the settings of a script; an empty variable counts as unset. After the last
 * one, `check` throws an Error with a line for each fault.
 */
export function settingsReader(env: Env) {
  const faults: string[] = [];
  const read = (
    name: string,
    preset: string,
    expected: string,
    parse: (text: string) => number | undefined,
  ) => {
    const text = env[name]?.trim() || preset;
    const value = parse(text);
    if (value === undefined) faults.push(`${name} is "${text}", expected ${expected}`);
    return value ?? 0;
  };
  const wholeNumber = (name: string, preset: number, kind: string, least: number, most: number) =>
    read(name, String(preset), `a ${kind} from ${least} to ${most}`, (text) => {
      const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
      return value >= least && value <= most ? value : undefined;
    });
  return {
    port: (name: string, preset: number, least = 1) =>
      wholeNumber(name, preset, 'port', least, 65_535),
    count: (name: string, preset: number, most: number) =>
      wholeNumber(name, preset, 'number', 1, most),
    durationMs: (name: string, preset: string) =>
      read(name, preset, DURATION_FORM, parseDurationMs),
    check: () => {
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  };
}
