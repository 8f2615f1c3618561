import type { Log } from '../process/log.ts';
import type { TracingConfig } from '../settings/config.ts';
import type { ProcessName } from '../settings/variables.ts';
import type { Tracer } from './tracer.ts';

/** Undefined when tracing is off: then nothing of OpenTelemetry is even loaded. */
export async function openTracer(
  config: TracingConfig | undefined,
  part: ProcessName,
  log: Log,
): Promise<Tracer | undefined> {
  if (!config) return undefined;
  const { openOtlpTracer } = await import('./otlp-tracer.ts');
  return openOtlpTracer(config, part, log);
}
