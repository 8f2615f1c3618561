const SWEEPS = 100_000;
/** Makes terms that the rows can't tell apart share the cost; its effect is otherwise negligible. */
const RIDGE = 1e-4;

/**
 * Returns the non-negative factors for which the sum of each row is closest to 1, by coordinate
 * descent: each sweep sets one factor after the other to its best value.
 */
export function leastSquares(rows: readonly (readonly number[])[]): number[] {
  const columns = (rows[0] ?? []).map((_, n) => rows.map((row) => row[n] ?? 0));
  const factors = columns.map(() => 0);
  const errors = rows.map(() => 1);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const [n, column] of columns.entries()) {
      const factor = factors[n] ?? 0;
      const step = dotProduct(column, errors) / dotProduct(column, column);
      const next = Math.max(0, (factor + step) / (1 + RIDGE));
      for (const [row, value] of column.entries())
        errors[row] = (errors[row] ?? 0) - value * (next - factor);
      factors[n] = next;
    }
  }
  return factors;
}

function dotProduct(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, n) => sum + value * (b[n] ?? 0), 0);
}
