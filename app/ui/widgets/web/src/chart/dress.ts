// A figure in the page's colours, letters and width.

import { channels, css, ink, isDark, mix, type Palette } from './colours.js';
import { axes, type Layout, type Painted, type Shape, type Titled, type Trace } from './plotly.js';

const NARROW = 480; // pixels

interface Letters {
  color: string;
  size: number;
}

const titled = (axis: Titled, font: Letters): object => ({ ...axis.title, font });

export function dressed(layout: Layout, marks: Shape[], colours: Palette, width: number): Layout {
  const { text, paper, font } = colours;
  const narrow = width < NARROW;
  const size = narrow ? 11 : (layout.font?.size ?? 13);
  const soft: Letters = { color: css(mix(paper, text, 0.62)), size };
  const clear = 'rgba(0,0,0,0)';
  const out: Layout = { ...layout, autosize: true, width: undefined, paper_bgcolor: clear, plot_bgcolor: clear };
  out.font = { ...layout.font, family: font, color: css(text), size } as Layout['font'] & object;
  out.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: css(paper),
    bordercolor: css(mix(paper, text, 0.3)),
    font: { family: font, color: css(text), size: 13 },
  };
  out.modebar = { bgcolor: clear, color: soft.color, activecolor: css(text), orientation: 'h' };
  const lines = { gridcolor: css(mix(paper, text, 0.09)), tickcolor: css(mix(paper, text, 0.35)) };
  for (const [name, axis] of axes(layout)) {
    out[name] = { ...lines, tickfont: soft, ...axis, title: titled(axis, soft) };
  }
  if (layout.coloraxis) {
    const bar = layout.coloraxis.colorbar ?? {};
    const colorbar = { tickcolor: soft.color, tickfont: soft, ...bar, title: titled(bar, soft) };
    out.coloraxis = { ...layout.coloraxis, colorbar };
  }
  if (narrow && layout.margin) out.margin = tightened(layout.margin);
  out.annotations = (layout.annotations ?? []).map((note) => {
    const color = note.font?.color ? css(ink(channels(note.font.color), colours)) : soft.color;
    return { ...note, font: { ...note.font, size: narrow ? 11 : (note.font?.size ?? size), color } };
  });
  out.shapes = [...(layout.shapes ?? []), ...marks].map((shape) => drawn(shape, colours));
  if (window.matchMedia('(pointer: coarse)').matches) out.dragmode = false; // a finger scrolls the page
  return out;
}

/** A wide left margin holds names, and they stay. */
const tightened = (margin: { l: number; r: number }): { l: number; r: number } => ({
  ...margin,
  r: Math.round(margin.r * 0.84),
  l: margin.l > 100 ? Math.round(margin.l * 0.84) : Math.min(margin.l, 36),
});

const drawn = (shape: Shape, { text }: Palette): Shape => ({
  layer: 'above',
  ...shape,
  ...(shape.name === 'band' ? { layer: 'below', fillcolor: css(text, 0.12) } : {}),
  line: { color: css(text, shape.name === 'step' ? 0.6 : 0.9), ...shape.line },
});

/** The part of each bar, in percent, that belongs to the lit paths. */
export const litBars = (parts: number[], { text }: Palette): Shape[] =>
  parts
    .map((y1, k) => ({
      type: 'rect',
      x0: k - 0.4,
      x1: k + 0.4,
      y0: 0,
      y1,
      fillcolor: css(text, 0.62),
      line: { width: 0 },
    }))
    .filter((bar) => bar.y1 > 0.001);

/** On a dark page the families' colours are lifted a little towards the text, traces as well as letters. */
export function lifted(traces: Trace[], colours: Palette): Trace[] {
  if (!isDark(colours)) return traces;
  const lift = (part: Painted): Painted =>
    typeof part.color === 'string' ? { ...part, color: css(mix(channels(part.color), colours.text, 0.2)) } : part;
  return traces.map((trace) => {
    const out = { ...trace }; // a key that is there and undefined trips plotly.js
    if (trace.line) out.line = lift(trace.line);
    if (trace.marker) {
      out.marker = { ...lift(trace.marker), ...(trace.marker.line ? { line: lift(trace.marker.line) } : {}) };
    }
    return out;
  });
}
