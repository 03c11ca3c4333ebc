// One net drawn from the image down.

import { draw, measured, must } from '../shared/index.js';
import { BOX, FOLD, height, read, STEP, type Block, type Box, type Column, type Placed } from './plan.js';

const TINTS = ['11%', '21%', '33%', '45%', '56%'];

/** Where a column stands, and how wide its boxes and arcs are. */
export interface At {
  root: HTMLElement;
  left: number;
  wide: number;
  arcs: number;
  narrow: boolean;
}

/** What an item or a box of it stands for, to be told when it is pointed at. */
const blocks = new WeakMap<Element, Block>();
const boxes = new WeakMap<Element, Box>();
export const blockIn = (item: Element): Block | undefined => blocks.get(item);
export const boxIn = (layer: Element | null): Box | undefined => (layer ? boxes.get(layer) : undefined);

/** The column, and its items from top to bottom. */
export function drawColumn(of: Column, net: number, parts: Placed[], at: At): { g: SVGGElement; items: SVGGElement[] } {
  const g = draw('g', { class: 'column', role: 'listbox', 'aria-orientation': 'vertical' });
  g.style.setProperty('--c', of.colour);
  g.setAttribute('aria-label', `${of.name}: ${of.totals.join(', ')}`);
  const behind = draw('g', {});
  const front = draw('g', {});
  const [first, last] = [must(parts[0]), must(parts.at(-1))];
  const cx = at.left + at.wide / 2;
  behind.append(draw('path', { class: 'trunk', d: `M${cx} ${first.top}V${last.top + height(last)}` }));
  const items: SVGGElement[] = [];
  for (const part of parts) {
    const drawn = drawPart(part, at);
    front.append(drawn);
    if (part.what === 'block' && part.kind.arc) behind.append(arc(part, at));
    if (!drawn.classList.contains('item')) continue;
    drawn.dataset.net = String(net);
    items.push(drawn);
  }
  g.append(behind, front);
  return { g, items };
}

function drawPart(part: Placed, at: At): SVGGElement {
  if (part.what === 'block') return block(part, at);
  if (part.what !== 'box') return fold(part, at);
  if (!part.box.layer) return words(part.box, part.top, at);
  const g = item(part.box.layer, read(part.box).join(', '));
  g.append(words(part.box, part.top, at, '3%'));
  return g;
}

function item(value: string, label: string): SVGGElement {
  const aria = { 'aria-selected': 'false', 'aria-label': label };
  const g = draw('g', { class: 'item', role: 'option', tabindex: -1, ...aria });
  g.dataset.value = value;
  return g;
}

function words(box: Box, y: number, { root, left: x, wide, narrow }: At, tint = ''): SVGGElement {
  const g = draw('g', { class: box.layer ? 'layer' : 'pool' });
  const font = narrow ? 12 : 14;
  const fits = (text: string): boolean => measured(root, text, `${font}px`) <= wide - 8;
  const text = [box.text, box.short].find(fits) ?? box.short.split(',')[0];
  const blank = { x: x + wide * 0.14, y: y + 3, width: wide * 0.72, height: BOX - 6 };
  g.append(
    box.layer
      ? draw('rect', { class: 'box', x, y, width: wide, height: BOX, rx: 3 })
      : draw('rect', { class: 'blank', ...blank }),
    draw('text', { x: x + wide / 2, y: y + BOX / 2 + font * 0.35, 'font-size': font }, text),
  );
  if (tint) g.style.setProperty('--tint', tint);
  boxes.set(g, box);
  return g;
}

type PlacedBlock = Block & { top: number };

function block(part: PlacedBlock, at: At): SVGGElement {
  const { kind, index, top } = part;
  const shortcut = kind.shortcut ? [`shortcut: ${kind.shortcut}`] : [];
  const said = [`block ${index}`, ...kind.boxes.map((box) => box.text), ...shortcut];
  const g = item(`block:${index}`, said.join(', '));
  const ring = { x: at.left - 4, y: top - 4, width: at.wide + 8, height: height(part) + 8, rx: 5 };
  const tint = TINTS[kind.stage] ?? TINTS.at(-1);
  g.append(
    draw('rect', { class: 'ring', ...ring }),
    ...kind.boxes.map((box, i) => words(box, top + i * (BOX + STEP), at, tint)),
  );
  if (kind.arc && kind.mark) g.append(...mark(part, at));
  blocks.set(g, part);
  return g;
}

/** Where a block's shortcut leaves and comes back, and how far it bulges. */
function ends(part: PlacedBlock, at: At): { y0: number; y1: number; right: number; bulge: number } {
  const y0 = part.top - 6 + part.kind.enters * (BOX + STEP);
  return { y0, y1: part.top + height(part) + 6, right: at.left + at.wide, bulge: at.arcs * 1.08 };
}

function arc(part: PlacedBlock, at: At): SVGGElement {
  const { y0, y1, right, bulge } = ends(part, at);
  const cx = at.left + at.wide / 2;
  const way = `M${cx} ${y0}H${right}C${right + bulge} ${y0} ${right + bulge} ${y1} ${right} ${y1}H${cx + 5}`;
  const g = draw('g', { class: 'way' });
  g.append(
    draw('path', { class: `arc ${part.kind.arc}`, d: way }),
    draw('path', { class: 'tip-of-arc', d: `M${cx + 2} ${y1}l7 -3.4v6.8z` }),
  );
  return g;
}

function mark(part: PlacedBlock, at: At): SVGElement[] {
  const { y0, y1, right, bulge } = ends(part, at);
  const { mark: said } = part.kind;
  const [x, y, side] = [right + bulge * 0.75, (y0 + y1) / 2, at.narrow ? 14 : 23];
  const text = at.narrow && said === '1×1' ? '1' : said;
  return [
    draw('rect', { class: 'mark', x: x - side / 2, y: y - 8, width: side, height: 16, rx: 3 }),
    draw('text', { class: 'mark-text', x, y: y + 4, 'font-size': at.narrow ? 9 : 11 }, text),
  ];
}

function fold(part: Placed & { what: 'fold' | 'close' }, { left, wide }: At): SVGGElement {
  const closes = part.what === 'close';
  const label = closes ? 'Fold this stage again' : `${part.count} more blocks, folded: Enter shows them`;
  const g = item(`fold:${part.stage}`, label);
  const text = closes ? 'fold' : `… ×${part.count}`;
  g.append(
    draw('rect', { class: 'more', x: left, y: part.top, width: wide, height: FOLD, rx: 4 }),
    draw('text', { class: 'more-text', x: left + wide / 2, y: part.top + FOLD / 2 + 5 }, text),
  );
  return g;
}
