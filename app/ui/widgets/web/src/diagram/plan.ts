// Where everything stands: bands of one resolution across all columns, boxes in them. Pixels at a zoom of 1.

import { many } from '../shared/index.js';

export const BOX = 25; // the height of a box,
export const STEP = 9; // between boxes,
export const GAP = 19; // between blocks,
export const FOLD = 34; // of a fold,
export const BAND = 16; // and above a band
const FOLD_ABOVE = 10; // a stage of more blocks is folded to the first three, the fold and the last
const FIRST = 3;

export interface Box {
  /** Its name in the state dict; none for a pool. */
  layer: string;
  text: string;
  short: string;
  shape: string;
  params: number;
  macs: number;
}

export interface Kind {
  stage: number;
  /** The side of its maps. */
  band: number;
  boxes: Box[];
  shortcut: string;
  /** The class of the shortcut's arc; none where there is no shortcut. */
  arc: string;
  /** The box before which the arc leaves. */
  enters: number;
  mark: string;
  beside: Pick<Box, 'layer' | 'params' | 'macs'>[];
}

export interface Column {
  name: string;
  colour: string;
  totals: [layers: string, work: string, parameters: string];
  kinds: Kind[];
  /** The kind of each block. */
  blocks: number[];
  before: (Box & { band: number })[];
  after: (Box & { band: number })[];
}

export interface Block {
  what: 'block';
  index: number;
  kind: Kind;
}

/** From top to bottom: single boxes, blocks, and folds in place of the many that look alike. */
export type Part =
  Block | { what: 'box'; box: Box } | { what: 'fold'; stage: number; count: number } | { what: 'close'; stage: number };

export type Banded = Part & { band: number };
export type Placed = Banded & { top: number };

/** `open` stages are not folded, and block `keep` is never in a fold. */
export function parts(column: Column, open: Set<number>, keep: number | null): Banded[] {
  const stages: (Block & { band: number })[][] = [];
  column.blocks.forEach((nth, index) => {
    const kind = column.kinds[nth];
    if (kind) (stages[kind.stage] ??= []).push({ what: 'block', index, kind, band: kind.band });
  });
  const single = ({ band, ...box }: Box & { band: number }): Banded => ({ what: 'box', box, band });
  const folded = stages.flatMap((stage, s) => shown(stage, s, open.has(s), keep)); // flatMap leaves out empty stages
  return [...column.before.map(single), ...folded, ...column.after.map(single)];
}

function shown(stage: (Block & { band: number })[], s: number, open: boolean, keep: number | null): Banded[] {
  if (stage.length <= FOLD_ABOVE) return stage;
  if (open) return [...stage, { what: 'close', stage: s, band: stage.at(-1)?.band ?? 0 }];
  const out: Banded[] = [];
  stage.forEach((part, i) => {
    const last = out.at(-1);
    if (i < FIRST || i === stage.length - 1 || part.index === keep) out.push(part);
    else if (last?.what === 'fold') last.count += 1;
    else out.push({ what: 'fold', stage: s, count: 1, band: part.band });
  });
  return out;
}

const tall = (boxes: number): number => boxes * BOX + (boxes - 1) * STEP;

/** The height of a part, without the gap below it. */
export function height(part: Part): number {
  if (part.what === 'fold' || part.what === 'close') return FOLD;
  return tall(part.what === 'block' ? part.kind.boxes.length : 1);
}

export interface Band {
  side: number;
  top: number;
  height: number;
}

/** The top of every part, and of every band with its height. */
export function placed(columns: Banded[][]): { columns: Placed[][]; bands: Band[]; height: number } {
  const sides = [...new Set(columns.flatMap((column) => column.map((part) => part.band)))].sort((a, b) => b - a);
  const bands: Band[] = [];
  const tops = columns.map((): Placed[] => []);
  let top = 0;
  for (const side of sides) {
    let most = 0;
    columns.forEach((column, c) => {
      let y = top + BAND;
      for (const part of column.filter((each) => each.band === side)) {
        tops[c]?.push({ ...part, top: y });
        y += height(part) + GAP;
      }
      most = Math.max(most, y - top);
    });
    bands.push({ side, top, height: most });
    top += most;
  }
  return { columns: tops, bands, height: top };
}

/** A box in words, the first of them its layer's name. */
export const read = ({ layer, text, shape, params, macs }: Box): [string, string, string, string, string] => [
  layer,
  text,
  shape,
  `${many(params)} parameters`,
  `${many(macs)} multiply-adds`,
];
