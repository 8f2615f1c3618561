import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, 'wall.css'), 'utf8');
const [dark = '', light = ''] = [...css.matchAll(/:root \{[^}]+\}/g)].map(([block]) => block);

function colour(block: string, name: string): string {
  const [, hex] = new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block) ?? [];
  if (!hex) throw new Error(`wall.css has no --${name}`);
  return hex;
}

/** Returns the relative luminance, as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['dark', dark],
  ['light', light],
])('the %s colours', (_, block) => {
  const words = ['text-colour', 'muted', 'live', 'late', 'frozen', 'failing', 'idle'];

  it.each(words)('keep --%s legible on every background', (name) => {
    for (const behind of ['back', 'raised']) {
      expect(contrast(colour(block, name), colour(block, behind)), behind).toBeGreaterThan(4.5);
    }
  });

  it('keep the banner and the focus visible', () => {
    expect(contrast(colour(block, 'late'), colour(block, 'back'))).toBeGreaterThan(4.5);
    expect(contrast(colour(block, 'focus'), colour(block, 'back'))).toBeGreaterThan(3);
  });
});
