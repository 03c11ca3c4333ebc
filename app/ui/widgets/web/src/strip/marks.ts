// What is shown on a strip that is drawn: what is chosen, cut, dialled down, moved, lit or hinted at.

import { blockOf } from '../shared/index.js';
import { rowOf, valueOf } from './items.js';
import type { Row } from './net.js';

export interface Marked {
  rows: Row[];
  items: SVGGElement[][];
  selected: string | null;
  cut: Set<number>;
  /** Blocks whose branch counts only so much. */
  turned: Record<string, number>;
  order: number[];
}

const partsOf = (item: SVGGElement): NodeListOf<SVGElement> => item.querySelectorAll<SVGElement>('.part');

export function mark({ items, selected, cut, turned, order }: Marked): void {
  const block = blockOf(selected);
  for (const item of items.flat()) {
    const value = valueOf(item);
    const chosen = value === selected || (block !== null && value === `block:${block}`);
    item.classList.toggle('selected', chosen);
    item.setAttribute('aria-selected', String(chosen));
    const own = blockOf(value) ?? -1;
    item.classList.toggle('cut', cut.has(own));
    const scale = cut.has(own) ? undefined : turned[own];
    item.classList.toggle('turned', scale !== undefined);
    item.style.setProperty('--scale', String(scale ?? 1));
    item.classList.toggle('moved', rowOf(item) === 0 && order.length > 0 && own >= 0 && order[own] !== own);
    for (const part of partsOf(item)) part.classList.toggle('chosen', part.dataset.layer === selected);
  }
}

/** The layer or block that the pointer is on, in a chart. */
export function hint(items: SVGGElement[][], at: string | null): void {
  const block = blockOf(at);
  for (const item of items.flat()) {
    const value = valueOf(item);
    item.classList.toggle('hinted', Boolean(at) && (value === at || (block !== null && blockOf(value) === block)));
    for (const part of partsOf(item)) part.classList.toggle('hinted', part.dataset.layer === at);
  }
}

/** Lit blocks, or the folds that they are in. */
export function shine({ rows, items }: Pick<Marked, 'rows' | 'items'>, lit: Set<number>): void {
  items.forEach((row, r) => {
    const shown = new Set(row.map((item) => blockOf(valueOf(item))));
    const of = rows[r];
    const stage = (block: number): number | undefined => of?.kinds[of.blocks[block] ?? -1]?.stage;
    const folded = new Set([...lit].filter((block) => !shown.has(block)).map((block) => `fold:${stage(block) ?? ''}`));
    for (const item of row) {
      const own = blockOf(valueOf(item));
      item.classList.toggle('lit', (own !== null && lit.has(own)) || folded.has(valueOf(item)));
    }
  });
}
