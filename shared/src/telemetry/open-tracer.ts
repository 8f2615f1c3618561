import type { Log } from '../process/log.ts';
import type { TracingConfig } from '../settings/config.ts';
import type { ProcessName } from '../settings/variables.ts';
import type { Tracer } from './tracer.ts';

/** Returns `undefined` if tracing is off; OpenTelemetry is then not even loaded. */
export async function openTracer(
  config: TracingConfig | undefined,
  part: ProcessName,
  log: Log,
): Promise<Tracer | undefined> {
  if (!config) return undefined;
  const { openOtlpTracer } = await import('./otlp-tracer.ts');
  return openOtlpTracer(config, part, log);
}
