import { type Measured, numberText, type Report } from './figure.ts';

const WIDTH = 960;
const LEFT = 330;
const ROW = 24;
const BAR_WIDTH = WIDTH - LEFT - 190;

/** Draws bars with their range. Rows of one unit share a scale; green and red show a target. */
export function renderChart({ title, date, machine, measured }: Report): string {
  const height = 70 + ROW * measured.length;
  const most = new Map<string, number>();
  for (const { unit, max } of measured) most.set(unit, Math.max(most.get(unit) ?? 0, max));
  const rows = measured.map((row, n) => bar(row, 50 + ROW * n, most.get(row.unit) || 1));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<style>.bar{fill:#68a}.met{fill:#4a7}.missed{fill:#c54}.spread{stroke:#222}.small{fill:#666;font-size:10px}</style>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="10" y="22" font-size="15">${escaped(title)}</text>
<text x="10" y="38" class="small">median and range of the rounds</text>
${rows.join('\n')}
<text x="10" y="${height - 8}" class="small">${escaped(`${date} UTC, ${machine}`)}</text>
</svg>
`;
}

function bar({ of, what, unit, median, min, max, target }: Measured, y: number, most: number) {
  const x = (value: number) => (LEFT + (BAR_WIDTH * value) / most).toFixed(1);
  const kind = target ? (target.isMet ? 'met' : 'missed') : 'bar';
  const width = (Number(x(median)) - LEFT).toFixed(1);
  const text = `${numberText(median)} ${unit} ${target ? `(${target.text})` : ''}`;
  return `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escaped(`${of}: ${what}`)}</text>
<rect x="${LEFT}" y="${y}" width="${width}" height="16" class="${kind}"/>
<line x1="${x(min)}" x2="${x(max)}" y1="${y + 8}" y2="${y + 8}" class="spread"/>
<text x="${Number(x(Math.max(median, max))) + 6}" y="${y + 13}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
