/** Shows what a test measured beside its verdict: one line per fault, numbers rounded. */
export function report(fault: string, measured: Readonly<Record<string, unknown>>): void {
  const rounded = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.round(value * 100) / 100 : value,
  ]);
  console.log(`${fault}: ${JSON.stringify(Object.fromEntries(rounded))}`);
}
