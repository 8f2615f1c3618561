/** Prints a test's measurements: one line per fault, numbers rounded. */
export function printMeasurements(
  fault: string,
  measured: Readonly<Record<string, unknown>>,
): void {
  const rounded = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.round(value * 100) / 100 : value,
  ]);
  console.log(`${fault}: ${JSON.stringify(Object.fromEntries(rounded))}`);
}
