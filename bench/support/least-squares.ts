interface Observation {
  terms: readonly number[];
  value: number;
}

/**
 * The costs that explain what was observed best, none below zero: a term that would be is left out.
 * Each observation counts alike, however large it is.
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

/** Rows of the matrix, each with the right-hand side at its end. */
function normalEquations(observations: readonly Observation[], chosen: number[]): number[][] {
  const relative = observations.map(({ terms, value }) =>
    chosen.map((term) => (terms[term] ?? 0) / Math.max(value, Number.MIN_VALUE)),
  );
  return chosen.map((_, row) => [
    ...chosen.map((_, column) =>
      relative.reduce((sum, r) => sum + (r[row] ?? 0) * (r[column] ?? 0), 0),
    ),
    relative.reduce((sum, r) => sum + (r[row] ?? 0), 0),
  ]);
}

/** Gauss and Jordan; a pivot of nothing is as good as no term. */
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
