// One net drawn: its stem, its blocks and their shortcuts, its head.

import { draw, measured } from '../shared/index.js';
import { blockWords, folds, HEAD, isFold, layerWords, stageOf, STEM, type Cell, type Kind, type Mode } from './net.js';
import type { Layer, Row } from './net.js';
import { fitted, FOLD_WIDTH, STEM_WIDTH, widthOf, type Room } from './room.js';

const ARC = 15; // heights of a line's parts
const BOX = 24;
const LABEL = 19;
const TINTS = ['11%', '23%', '38%', '52%'];
const NAME = '650 15px';

export interface Scene {
  root: HTMLElement;
  mode: Mode;
  row: Row;
  /** Which row it is. */
  r: number;
  /** Stages that were unfolded. */
  open: Set<number>;
  room: Room;
}

/** The name of a row needs so much. */
export const nameWidth = (root: HTMLElement, name: string): number => measured(root, name, NAME);

export function drawRow(scene: Scene, lines: Cell[][]): SVGSVGElement {
  const { root, row, room } = scene;
  const head = room.narrow ? 22 : 0;
  const height = ARC + BOX + LABEL;
  const svg = draw('svg', {
    class: 'row',
    width: room.wide,
    height: head + lines.length * height + (room.narrow ? 6 : 2),
    role: 'listbox',
    'aria-orientation': 'horizontal',
    'aria-label': `${row.name}: ${row.blocks.length} blocks`,
  });
  svg.style.setProperty('--c', row.colour);
  const place = room.narrow ? { x: 2, y: 15 } : { x: 0, y: ARC + BOX / 2 + 5 };
  const name = fitted(root, row.name, room.narrow ? room.wide : room.left - 12, NAME);
  svg.append(draw('text', { class: 'name', ...place }, name));
  let stage = -1;
  lines.forEach((line, l) => {
    const ends = { first: l === 0, last: l === lines.length - 1 };
    svg.append(...drawLine(scene, line, head + l * height + ARC, ends, stage));
    const cell = line.at(-1);
    if (cell) stage = stageOf(cell);
  });
  return svg;
}

interface Ends {
  first: boolean;
  last: boolean;
}

function drawLine(scene: Scene, line: Cell[], top: number, { first, last }: Ends, before: number): SVGGElement[] {
  const { room } = scene;
  const behind = draw('g', {});
  const front = draw('g', {});
  const mid = top + BOX / 2;
  let x = room.left + STEM_WIDTH;
  let stage = before;
  const end = x + widthOf(line, room.pitch) + (last ? 8 : 4);
  behind.append(draw('path', { class: 'trunk', d: `M${first ? room.left + 14 : x - 12} ${mid}H${end}` }));
  if (first) front.append(stem(scene, room.left + 3, top));
  for (const cell of line) {
    if (stageOf(cell) !== stage) {
      stage = stageOf(cell);
      front.append(stageLabel(scene, line, stage, x, top, last));
    }
    if (isFold(cell)) front.append(fold(scene, cell, x, top));
    else {
      if (cell.kind.shortcut) behind.append(...arc(cell.kind, x, top, room.pitch));
      front.append(block(scene, cell, x, top));
    }
    x += isFold(cell) ? FOLD_WIDTH : room.pitch;
  }
  if (last) front.append(head(scene, x + 10, top));
  return [behind, front];
}

/** The label of a stage, or as much of it as the stage's blocks have room for. */
function stageLabel(scene: Scene, line: Cell[], stage: number, x: number, top: number, last: boolean): SVGElement {
  const { root, row, r, open, room } = scene;
  const folded = folds(row) && open.has(stage);
  const own = line.filter((cell) => stageOf(cell) === stage);
  const space = last && stage === row.stages.length - 1 ? 200 : widthOf(own, room.pitch) - 3;
  const whole = row.stages[stage] ?? '';
  const said = [whole, whole.split(',')[0] ?? ''].find((text) => measured(root, text, '12.5px') <= space) ?? '';
  const text = said + (folded ? ' · fold' : '');
  const label = draw('text', { class: folded ? 'stage fold' : 'stage', x: x + 3, y: top + BOX + 14 }, text);
  if (folded) Object.assign(label.dataset, { fold: String(stage), row: String(r) });
  return label;
}

function arc(kind: Kind, x0: number, top: number, pitch: number): SVGElement[] {
  const x1 = x0 + pitch;
  const mid = top + BOX / 2;
  const peak = top - ARC + 4;
  const lift = mid - (mid - peak) / 0.75;
  const way = `M${x0} ${mid}C${x0} ${lift} ${x1} ${lift} ${x1} ${mid}`;
  const side = Math.min(7, pitch * 0.42);
  const square = { x: (x0 + x1 - side) / 2, y: peak - side / 2, width: side, height: side, rx: 1 };
  return [
    draw('path', { class: kind.dotted ? 'arc dotted' : 'arc', d: way }),
    ...(pitch >= 22 ? [draw('circle', { class: 'add', cx: x1, cy: mid, r: 2.2 })] : []),
    ...(kind.projected ? [draw('rect', { class: 'projection', ...square })] : []),
  ];
}

function item({ r }: Scene, value: string, label: string): SVGGElement {
  const aria = { 'aria-selected': 'false', 'aria-label': label };
  const g = draw('g', { class: 'item', role: 'option', tabindex: -1, ...aria });
  Object.assign(g.dataset, { row: String(r), value });
  return g;
}

function block(scene: Scene, { index, kind }: { index: number; kind: Kind }, x: number, top: number): SVGGElement {
  const { mode, row, room } = scene;
  const span = room.pitch;
  const gap = Math.min(Math.max(span * 0.2, 3), 7);
  const w = span - gap;
  const left = x + gap / 2;
  const g = item(scene, `block:${index}`, blockWords(row, index, mode).join(', '));
  g.style.setProperty('--tint', TINTS[kind.stage] ?? TINTS.at(-1) ?? '');
  g.append(
    draw('rect', { class: 'hit', x, y: top - ARC, width: span, height: ARC + BOX }),
    draw('rect', { class: 'box', x: left, y: top, width: w, height: BOX, rx: 3.5 }),
    ...kind.layers.flatMap((layer, i) => part(layer, i, { index, n: kind.layers.length, w, left, top })),
  );
  if (mode === 'cut' && w >= 17) {
    const number = kind.halves && w >= 34 ? `${index} ↓` : index;
    g.append(draw('text', { class: 'number', x: x + span / 2, y: top + BOX / 2 + 4 }, number));
  }
  const [x0, x1, y0, y1] = [left + 3, left + w - 3, top + 3, top + BOX - 3];
  g.append(draw('path', { class: 'cross', d: `M${x0} ${y0}L${x1} ${y1}M${x1} ${y0}L${x0} ${y1}` }));
  return g;
}

interface Box {
  index: number;
  n: number;
  w: number;
  left: number;
  top: number;
}

/** One of a block's layers, and the seam before it. */
function part(layer: Layer, i: number, { index, n, w, left, top }: Box): SVGElement[] {
  const x = left + (w * i) / n;
  const size = { width: Math.max(w / n - 5, 2), height: 4, rx: 1.5 };
  const rect = draw('rect', { class: 'part', x: x + 2.5, y: top + BOX - 7.5, ...size });
  rect.dataset.layer = `blocks.${index}.${layer.tail}`;
  return [rect, ...(i && w >= 16 ? [draw('path', { class: 'seam', d: `M${x} ${top + BOX - 6}v6` })] : [])];
}

function stem(scene: Scene, x: number, top: number): SVGGElement {
  const g = end(scene, STEM);
  g.append(
    draw('rect', { class: 'hit', x: x - 3, y: top - ARC, width: 21, height: ARC + BOX }),
    draw('rect', { class: 'box', x, y: top + 3, width: 13, height: BOX - 6, rx: 3 }),
  );
  return g;
}

function head(scene: Scene, x: number, top: number): SVGGElement {
  const g = end(scene, HEAD);
  g.append(
    draw('rect', { class: 'hit', x: x - 2, y: top - 6, width: 58, height: BOX + 12 }),
    draw('text', { class: 'end', x, y: top + BOX / 2 + 4.5 }, 'pool · fc'),
  );
  return g;
}

function end(scene: Scene, value: string): SVGGElement {
  const g = item(scene, value, layerWords(scene.row, value).join(', '));
  g.style.setProperty('--tint', '4%');
  return g;
}

function fold(scene: Scene, cell: { fold: number; stage: number }, x: number, top: number): SVGGElement {
  const g = item(scene, `fold:${cell.stage}`, `${cell.fold} more blocks, folded: Enter shows them`);
  g.append(
    draw('rect', { class: 'more', x: x + 3, y: top, width: FOLD_WIDTH - 6, height: BOX, rx: 3.5 }),
    draw('text', { class: 'more-text', x: x + FOLD_WIDTH / 2, y: top + BOX / 2 + 4.5 }, `… ×${cell.fold}`),
  );
  return g;
}
