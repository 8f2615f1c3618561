import type { ProofReport } from './report.ts';

const WIDTH = 960;
const PANEL = 180;
const LEFT = 60;
const MAX_AGE_S = 30;

/** Plots gaps between calls and the oldest frame served over time, with every fault marked. */
export function plotProof(report: ProofReport): string {
  const { durationS, intervalMs, faults, gaps, oldestAgeS } = report;
  const x = (atS: number) => LEFT + ((WIDTH - LEFT - 20) * atS) / Math.max(1, durationS);
  // A stepped Redis clock makes one frame look an hour old, and would flatten all the others.
  const oldestS = Math.min(MAX_AGE_S, Math.max(1, ...oldestAgeS.map(({ ageS }) => ageS)));
  const gapTopMs = 10 * intervalMs;
  const gapY = (ms: number) => 40 + PANEL - (PANEL * Math.min(ms, gapTopMs)) / gapTopMs;
  const ageY = (s: number) => 300 + PANEL - (PANEL * Math.min(s, oldestS)) / oldestS;
  const marks = faults.map(
    ({ fromS, toS, fault }) =>
      `<rect x="${x(fromS).toFixed(1)}" y="40" width="${Math.max(1, x(toS) - x(fromS)).toFixed(1)}" height="${PANEL + 260}" class="fault"><title>${fault}</title></rect>`,
  );
  const dots = gaps.map(
    ({ atS, gapMs }) =>
      `<circle cx="${x(atS).toFixed(1)}" cy="${gapY(gapMs).toFixed(1)}" r="1.2"/>`,
  );
  const line = oldestAgeS.map(({ atS, ageS }) => `${x(atS).toFixed(1)},${ageY(ageS).toFixed(1)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 520" font-family="sans-serif" font-size="12">
<style>.fault{fill:#d33;opacity:.12}circle{fill:#246;opacity:.5}polyline{fill:none;stroke:#246}.limit{stroke:#d33;stroke-dasharray:4}</style>
<rect width="${WIDTH}" height="520" fill="#fff"/>
<text x="${LEFT}" y="24">Gap between two calls to one camera (ms); the dashed line is the interval, ${intervalMs} ms. Red: a fault is on.</text>
${marks.join('\n')}
<line class="limit" x1="${LEFT}" x2="${WIDTH - 20}" y1="${gapY(intervalMs)}" y2="${gapY(intervalMs)}"/>
<text x="4" y="44">≥ ${gapTopMs}</text><text x="4" y="${40 + PANEL}">0</text>
${dots.join('')}
<text x="${LEFT}" y="284">Oldest frame served in each second (s)</text>
<text x="4" y="304">${oldestS === MAX_AGE_S ? '≥ ' : ''}${oldestS}</text><text x="4" y="${300 + PANEL}">0</text>
<polyline points="${line.join(' ')}"/>
<text x="${LEFT}" y="508">0 s</text><text x="${WIDTH - 60}" y="508">${Math.round(durationS)} s</text>
</svg>
`;
}
