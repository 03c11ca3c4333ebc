// plotly.js: what of it is used, and how it comes into the page.

export interface Plotly {
  react(plot: Plot, data: Trace[], layout: Layout, config: object): Promise<unknown>;
  relayout(plot: Plot, changes: object): unknown;
  purge(plot: Plot): void;
  Plots: { resize(plot: Plot): unknown };
  Icons: { home: unknown };
}

/** The element of a plot. */
export interface Plot extends HTMLElement {
  on(event: 'plotly_relayout', heard: (changes: Record<string, unknown>) => void): void;
  on(event: 'plotly_doubleclick' | 'plotly_unhover', heard: () => void): void;
  on(event: 'plotly_click' | 'plotly_hover', heard: (event: { points: Point[] }) => void): void;
  _dragging?: boolean;
}

export interface Point {
  x: unknown;
  y: unknown;
  customdata?: unknown;
  pointIndex?: [row: number, column: number];
  pointNumber?: [row: number, column: number];
  data: { name?: string; meta?: Meta };
}

/** What a map of logarithms is told besides its numbers: `below` and `above` in hundredths of a power of ten. */
export interface Meta {
  cells?: string;
  name: string;
  rows: string[];
  /** The first step of each column. */
  columns: number[];
  below: (number | null)[][] | null;
  above: number[][];
}

export interface Painted {
  color?: unknown;
  line?: Painted;
}

export interface Trace {
  meta?: Meta;
  /** Of a map: the edges of its columns, and the logarithms of each row. */
  x?: number[];
  z?: (number | null)[][];
  text?: string[][];
  line?: Painted;
  marker?: Painted;
}

export interface Font {
  size?: number;
  color?: string;
}

export interface Titled {
  title?: { font?: Font };
}

export interface Axis extends Titled {
  range?: unknown[];
  uirevision?: string;
}

export interface Shape {
  type?: string;
  name?: string;
  layer?: string;
  line?: object;
}

export interface Layout {
  [axis: string]: unknown;
  font?: Font;
  hoverlabel?: object;
  coloraxis?: { colorbar?: Titled };
  margin?: { l: number; r: number };
  annotations?: { font?: Font }[];
  shapes?: Shape[];
}

export interface Figure {
  data: Trace[];
  layout: Layout;
  /** The chart in words. */
  alt: string;
}

const AXIS = /^[xy]axis\d*$/;

export const isAxis = (name: string): boolean => AXIS.test(name);
export const axes = (layout: Layout): [string, Axis][] =>
  Object.entries(layout).filter((entry): entry is [string, Axis] => isAxis(entry[0]));

interface Page {
  Plotly?: Plotly;
}

/** plotly.js, where the page has it already. */
export const present = (): Plotly | undefined => (window as Page).Plotly;

let loading: Promise<Plotly> | undefined;

/** plotly.js, loaded once a page from beside this module. */
export function plotly(name: string): Promise<Plotly> {
  const had = present();
  if (had) return Promise.resolve(had);
  loading ??= load(new URL(name, import.meta.url).href).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(url: string): Promise<Plotly> {
  const answer = await fetch(url, { method: 'HEAD' }); // an unknown path is answered with Streamlit's own page
  const isCode = answer.headers.get('content-type')?.includes('javascript');
  if (!answer.ok || !isCode) throw new Error(`no plotly.js at ${url}`);
  await new Promise<void>((ok, no) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => ok();
    script.onerror = () => no(new Error(url));
    document.head.append(script);
  });
  const had = present();
  if (!had) throw new Error(url);
  return had;
}
