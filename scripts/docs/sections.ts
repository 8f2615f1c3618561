import type { ProcessName } from '@lastframe/shared/settings/variables';

const sections: readonly [heading: string, readers: readonly ProcessName[]][] = [
  ['api and worker', ['api', 'worker']],
  ['api', ['api']],
  ['worker', ['worker']],
];

/** Returns a heading and a table for each set of processes, without naming them in every row. */
export function sectionsByProcess<T extends { processes: readonly ProcessName[] }>(
  items: readonly T[],
  columns: readonly string[],
  cellsOf: (item: T) => string[],
): string {
  return sections
    .map(([heading, readers]) => {
      const own = items.filter(({ processes }) => processes.join() === readers.join());
      const rows = own.map((item) => rowOf(cellsOf(item)));
      const line = `|${'---|'.repeat(columns.length)}\n`;
      return `\n## ${heading}\n\n${rowOf(columns)}${line}${rows.join('')}`;
    })
    .join('');
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}
