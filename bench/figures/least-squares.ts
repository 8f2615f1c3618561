interface Observation {
  terms: readonly number[];
  value: number;
}

/**
 * Fits non-negative costs by least squares; a term whose cost would be negative is dropped. Errors
 * are relative, so all observations weigh the same. Indistinguishable terms share the cost.
 */
export function fitCosts(observations: readonly Observation[]): number[] {
  const size = observations[0]?.terms.length ?? 0;
  const used = new Set(Array.from({ length: size }, (_, n) => n));
  for (;;) {
    const chosen = [...used];
    const costs = solve(normalEquations(observations, chosen));
    const worst = costs.indexOf(Math.min(...costs));
    if (chosen.length === 0 || (costs[worst] ?? 0) >= 0) {
      return Array.from({ length: size }, (_, n) => costs[chosen.indexOf(n)] ?? 0);
    }
    used.delete(chosen[worst] ?? 0);
  }
}

/** Makes indistinguishable terms solvable; its effect is otherwise negligible. */
const RIDGE = 1e-9;

/** Returns the rows of the matrix, each followed by its right-hand side. */
function normalEquations(observations: readonly Observation[], chosen: number[]): number[][] {
  const relative = observations.map(({ terms, value }) =>
    chosen.map((term) => (terms[term] ?? 0) / Math.max(value, Number.MIN_VALUE)),
  );
  const sum = (row: number, column: number) =>
    relative.reduce((total, r) => total + (r[row] ?? 0) * (r[column] ?? 0), 0);
  return chosen.map((_, row) => [
    ...chosen.map((_, column) => sum(row, column) * (row === column ? 1 + RIDGE : 1)),
    relative.reduce((total, r) => total + (r[row] ?? 0), 0),
  ]);
}

/** Gauss–Jordan elimination. A zero pivot drops the term. */
function solve(matrix: number[][]): number[] {
  const rows = matrix.map((row) => [...row]);
  for (const [n, pivotRow] of rows.entries()) {
    const pivot = pivotRow[n] || Number.MIN_VALUE;
    for (const [m, row] of rows.entries()) {
      if (m === n) continue;
      const factor = (row[n] ?? 0) / pivot;
      for (const [column, value] of pivotRow.entries())
        row[column] = (row[column] ?? 0) - factor * value;
    }
  }
  return rows.map((row, n) => (row.at(-1) ?? 0) / (row[n] || 1));
}
