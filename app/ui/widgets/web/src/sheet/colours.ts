import { must } from '../shared/index.js';

export type Rgb = [red: number, green: number, blue: number];
type Anchor = [place: number, colour: string];

const hex = (text: string, at: number): number => parseInt(text.slice(at, at + 2), 16);
const rgb = (text: string): Rgb => [hex(text, 1), hex(text, 3), hex(text, 5)];

/** 256 colours from the anchors of a Plotly scale. */
export function lookup(scale: Anchor[]): Rgb[] {
  return Array.from({ length: 256 }, (_, n) => {
    const share = n / 255;
    let i = 1;
    while (i < scale.length - 1 && share > must(scale[i])[0]) i++;
    const [from, first] = must(scale[i - 1]);
    const [to, second] = must(scale[i]);
    const a = rgb(first);
    const b = rgb(second);
    const part = Math.min(1, (share - from) / (to - from));
    const band = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * part);
    return [band(0), band(1), band(2)];
  });
}

/** A number of a map, in three digits. */
export function written(v: number): string {
  if (v === 0) return '0';
  return Math.abs(v) >= 0.01 && Math.abs(v) < 1e4 ? v.toPrecision(3) : v.toExponential(1);
}
