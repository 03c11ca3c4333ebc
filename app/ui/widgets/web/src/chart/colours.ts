// Colours of the page, and how well one is read on another.

export type Rgb = [red: number, green: number, blue: number];

export interface Palette {
  text: Rgb;
  paper: Rgb;
  font: string;
}

/** Any colour of CSS as numbers. */
export function channels(text: string): Rgb {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const probe = canvas.getContext('2d', { willReadFrequently: true });
  if (!probe) return [0, 0, 0];
  probe.fillStyle = text;
  probe.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = probe.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

export const css = ([r, g, b]: Rgb, alpha = 1): string => `rgba(${r},${g},${b},${alpha})`;

export function mix(a: Rgb, b: Rgb, part: number): Rgb {
  const band = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * part);
  return [band(0), band(1), band(2)];
}

/** Relative luminance, as WCAG defines it. */
export function light([r, g, b]: Rgb): number {
  const linear = (value: number): number => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [light(a), light(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

export const isDark = ({ paper }: Pick<Palette, 'paper'>): boolean => light(paper) <= 0.2;

/** A family's colour as letters: moved towards the text's colour until it can be read (WCAG: 4.5 to 1). */
export function ink(from: Rgb, { text, paper }: Pick<Palette, 'text' | 'paper'>): Rgb {
  for (let part = isDark({ paper }) ? 0.2 : 0; part < 1; part += 0.1) {
    const tried = mix(from, text, part);
    if (contrast(tried, paper) >= 4.5) return tried;
  }
  return text;
}

export function palette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string, fallback: string): Rgb => channels(style.getPropertyValue(name).trim() || fallback);
  return {
    text: read('--st-text-color', '#1b2130'),
    paper: read('--st-background-color', '#ffffff'),
    font: style.getPropertyValue('--st-font').trim() || style.fontFamily,
  };
}
