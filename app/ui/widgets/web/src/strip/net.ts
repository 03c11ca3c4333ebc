// A net as `app.ui.widgets.strip.row` tells it, the order of its blocks, and what is said of them.

import { many, must } from '../shared/index.js';

const FOLD_FROM = 61; // a net of so many blocks is folded
const KEPT = { first: 3, all: 6 }; // what a folded stage still shows, and a stage too short to fold

export interface Layer {
  tail: string;
  what: string;
  params: number;
}

export interface Kind {
  stage: number;
  layers: Layer[];
  params: number;
  shape: string;
  shortcut: string;
  dotted: boolean;
  projected: boolean;
  /** Blocks of equal kin can take each other's place. */
  kin: string;
  halves: boolean;
  /** What passes when the branch is cut. */
  without: string;
  /** It cannot be cut. */
  whole: boolean;
}

export interface Row {
  name: string;
  colour: string;
  kinds: Kind[];
  /** The kind of each block. */
  blocks: number[];
  stages: string[];
  stem: Layer;
  head: Layer;
  pool: string;
}

export type Mode = 'select' | 'cut';

/** What stands in a row: a block, or a fold in place of some that look alike. */
export type Cell = { index: number; kind: Kind } | { fold: number; stage: number };

export const STEM = 'stem.conv';
export const HEAD = 'head.fc';

export const isFold = (cell: Cell): cell is { fold: number; stage: number } => 'fold' in cell;
export const stageOf = (cell: Cell): number => (isFold(cell) ? cell.stage : cell.kind.stage);
export const folds = (row: Row): boolean => row.blocks.length >= FOLD_FROM;
export const kindOf = (row: Row, block: number): Kind => must(row.kinds[must(row.blocks[block])]);

/** The blocks of a row as they stand; `order` may be empty. */
export const standing = (row: Row, order: number[]): number[] =>
  order.length === row.blocks.length ? order : row.blocks.map((_, index) => index);

/** A block taken from its place to another's: those between move up, those of other shapes stay. */
export function moved(row: Row, order: number[], from: number, to: number): number[] | null {
  const [first, second] = [order[from], order[to]];
  if (from === to || first === undefined || second === undefined) return null;
  const kin = (block: number): string => kindOf(row, block).kin;
  if (kin(first) !== kin(second)) return null;
  const places = [...order.keys()].filter((place) => kin(must(order[place])) === kin(first));
  const blocks = places.map((place) => must(order[place]));
  blocks.splice(places.indexOf(to), 0, ...blocks.splice(places.indexOf(from), 1));
  const made = [...order];
  places.forEach((place, i) => (made[place] = must(blocks[i])));
  return made;
}

/** What stands in a row, stage by stage. `open` stages are not folded, and blocks to `keep` are never in a fold. */
export function cells(row: Row, open: Set<number>, keep: Set<number | null>, order: number[] = []): Cell[][] {
  const stages = row.stages.map((): Cell[] => []);
  for (const index of standing(row, order)) {
    const kind = kindOf(row, index);
    stages[kind.stage]?.push({ index, kind });
  }
  if (!folds(row)) return stages;
  return stages.map((stage, s) => (open.has(s) || stage.length <= KEPT.all ? stage : folded(stage, s, keep)));
}

function folded(stage: Cell[], s: number, keep: Set<number | null>): Cell[] {
  const out: Cell[] = [];
  stage.forEach((cell, i) => {
    const last = out.at(-1);
    const stays = i < KEPT.first || i === stage.length - 1 || (!isFold(cell) && keep.has(cell.index));
    if (stays) out.push(cell);
    else if (last && isFold(last)) last.fold += 1;
    else out.push({ fold: 1, stage: s });
  });
  return out;
}

/** A block in words, the first of them its name. */
export function blockWords(row: Row, index: number, mode: Mode): [string, ...string[]] {
  const kind = kindOf(row, index);
  const cut = [...(kind.halves ? ['halves the resolution'] : []), (kind.whole ? '' : 'cut: ') + kind.without];
  return [
    `block ${index}`,
    `stage ${kind.stage + 1}`,
    ...kind.layers.map((layer) => `${layer.tail}: ${layer.what}`),
    kind.shape,
    `${many(kind.params)} parameters`,
    ...(kind.shortcut ? [`shortcut: ${kind.shortcut}`] : []),
    ...(mode === 'cut' ? cut : []),
  ];
}

/** The stem or the head in words. */
export function layerWords(row: Row, value: string): [string, ...string[]] {
  const isStem = value === STEM;
  const layer = isStem ? row.stem : row.head;
  const then = isStem && row.pool ? [`then ${row.pool}`] : [];
  return [value, layer.what, `${many(layer.params)} parameters`, ...then];
}
