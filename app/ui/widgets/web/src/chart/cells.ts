// Maps of logarithms: what a cell says when it is pointed at, and what is told of it when it is clicked.

import { many, must } from '../shared/index.js';
import type { Meta, Point, Trace } from './plotly.js';

const LOG = 'log10';

/** A power of ten, in two digits. */
export function written(z: number): string {
  const v = 10 ** z;
  if (v >= 100) return v.toFixed(0);
  return v >= 0.01 ? v.toPrecision(2) : v.toExponential(1);
}

/** The map with a text for each cell; any other trace as it is. */
export function completed(trace: Trace): Trace {
  const { meta, x = [], z = [] } = trace;
  if (meta?.cells !== LOG) return trace;
  const steps = meta.columns.map((first, i) => {
    const last = must(x[i + 1]) - 0.5;
    return last > first ? `<br>steps ${many(first)} to ${many(last)}: ` : `<br>step ${many(first)}: `;
  });
  const text = z.map((values, row) => {
    const name = must(meta.rows[row]);
    const layer = `${meta.name} · ${name}${name.includes('.shortcut.') ? ' (projection)' : ''}`;
    return values.map((value, i) => `${layer}${steps[i] ?? ''}${cell(meta, value, row, i)}`);
  });
  return { ...trace, text };
}

function cell({ below, above }: Meta, z: number | null, row: number, i: number): string {
  if (z === null) return 'not measured';
  if (!below) return written(z);
  const low = below[row]?.[i] ?? null; // a smallest norm of zero has no logarithm
  return `${written(z)}, from ${low === null ? 0 : written(z - low / 100)} to ${written(z + (above[row]?.[i] ?? 0) / 100)}`;
}

export interface Click {
  x: unknown;
  y: unknown;
  customdata: unknown;
  name: string | undefined;
}

/** On a map of logarithms, x is the step, y the row and `customdata` the layer's name. */
export function told({ x, y, customdata, data, pointIndex, pointNumber }: Point): Click {
  const { meta, name } = data;
  if (meta?.cells !== LOG) return { x, y, customdata: customdata ?? null, name };
  const [row, column] = must(pointIndex ?? pointNumber);
  return { x: meta.columns[column], y: row, customdata: meta.rows[row], name: meta.name };
}
