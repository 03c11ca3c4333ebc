// Nets drawn as their blocks, one row a net. Geometry is computed for the width at hand.

import { add, ALL, blockOf, Choice, focused, instance, make, must, one, store, whenGone } from '../shared/index.js';
import type { Given, Send } from '../shared/index.js';
import { Detail } from './detail.js';
import { Drag } from './drag.js';
import { beside, itemAt, partAt, placeTip, rowOf, valueOf, type Focus } from './items.js';
import { hint, mark, shine } from './marks.js';
import { blockWords, cells, folds, isFold, kindOf, layerWords, moved, standing } from './net.js';
import type { Cell, Mode, Row } from './net.js';
import { roomFor } from './room.js';
import { drawRow, nameWidth } from './row.js';

interface Chosen {
  selected: string | null;
  cut: number[];
  order: number[];
}

export interface StripData extends Chosen {
  rows: Row[];
  turned: Record<string, number>;
  movable: boolean;
  mode: Mode;
  detail: boolean;
  lights: string;
}

const byNumber = (a: number, b: number): number => a - b;
const NOTHING: StripData = {
  rows: [],
  selected: null,
  cut: [],
  turned: {},
  order: [],
  movable: false,
  mode: 'select',
  detail: false,
  lights: '',
};

export class Strip {
  private readonly choice = new Choice<Chosen>();
  private readonly rows: HTMLElement;
  private readonly line: HTMLElement;
  private readonly tip: HTMLElement;
  private readonly detail: Detail;
  private readonly drag: Drag;
  private readonly sizes = new ResizeObserver(() => this.render());
  private readonly deafen: (() => void)[];
  /** Stages that were unfolded, of each row. */
  private readonly open = new Map<number, Set<number>>();
  private data = NOTHING;
  private items: SVGGElement[][] = [];
  private selected: string | null = null;
  private cut = new Set<number>();
  private order: number[] = [];
  private lit = new Set<number>();
  private hinted: string | null = null;
  private focus: Focus | null = null;
  private key = '';
  private send: Send = () => undefined;

  constructor(private readonly root: HTMLElement) {
    root.replaceChildren();
    this.rows = add(root, 'div', 'rows');
    this.line = add(root, 'div', 'detail');
    this.tip = add(root, 'div', 'tip');
    this.tip.hidden = true;
    this.detail = new Detail(this.line, (value) => this.choose(value));
    this.drag = this.draggable();
    this.listen();
    this.sizes.observe(root);
    this.deafen = [
      store.listen(
        'light',
        () => this.data.lights,
        ({ blocks }) => this.light(blocks),
      ),
      store.listen(
        'hint',
        () => ALL,
        ({ at }) => this.hint(at),
      ),
    ];
  }

  private listen(): void {
    const { rows } = this;
    rows.addEventListener('click', (event) => this.clicked(event));
    rows.addEventListener('keydown', (event) => this.pressed(event));
    rows.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'touch') this.pointed(itemAt(event));
    });
    rows.addEventListener('pointerleave', () => this.pointed(null));
    rows.addEventListener('focusin', (event) => {
      if (event.target instanceof Element && event.target.matches(':focus-visible')) this.pointed(itemAt(event));
    });
    rows.addEventListener('focusout', () => this.pointed(null));
  }

  private draggable(): Drag {
    return new Drag({
      rows: this.rows,
      items: () => this.items[0] ?? [],
      movable: (item) => this.data.movable && this.placeOf(item) !== undefined,
      fits: (item, other) => this.orderWith(item, other) !== null,
      begun: () => this.pointed(null),
      move: (item, other) => this.move(item, other),
    });
  }

  receive(data: StripData, send: Send): void {
    this.data = data;
    this.send = send;
    const { selected, cut, order } = this.choice.or({ selected: data.selected, cut: data.cut, order: data.order });
    this.selected = selected;
    this.cut = new Set(cut);
    this.order = order;
    this.render();
  }

  end(): void {
    this.sizes.disconnect();
    for (const stop of this.deafen) stop();
  }

  // ---- what is drawn ----

  private render(): void {
    const width = this.root.clientWidth;
    if (!width || this.data === NOTHING) return;
    const away = this.order.filter((block, place) => block !== place);
    const keep = new Set([...this.cut, ...away, blockOf(this.selected)]);
    const shown = this.data.rows.map((row, r) =>
      cells(row, this.opened(r), folds(row) ? keep : new Set(), r ? [] : this.order),
    );
    const cellKey = (cell: Cell): number => (isFold(cell) ? cell.fold : -cell.index);
    const standing = shown.map((stages) => stages.map((stage) => stage.map(cellKey)));
    const key = JSON.stringify([width, this.data.mode, this.data.rows, standing]);
    if (key !== this.key) this.build(width, shown);
    this.key = key;
    this.mark();
  }

  private opened(r: number): Set<number> {
    return this.open.get(r) ?? new Set();
  }

  private build(width: number, shown: Cell[][][]): void {
    const held = this.rows.contains(focused(this.rows)) ? this.focus : null;
    const { rows, mode } = this.data;
    const longest = Math.max(...rows.map((row) => nameWidth(this.root, row.name)));
    const { lines, room } = roomFor(width, longest, shown);
    const drawn = rows.map((row, r) =>
      drawRow({ root: this.root, mode, row, r, open: this.opened(r), room }, lines[r] ?? []),
    );
    this.rows.replaceChildren(...drawn);
    this.items = drawn.map((row) => [...row.querySelectorAll<SVGGElement>('.item')]);
    this.place(held ?? this.focus ?? [0, 0], Boolean(held));
  }

  private mark(): void {
    const { rows, turned, mode, movable } = this.data;
    const { items, selected, cut, order } = this;
    mark({ rows, items, selected, cut, turned, order });
    shine({ rows, items }, this.lit);
    hint(items, this.hinted);
    this.line.hidden = !this.data.detail;
    this.detail.show({ rows, mode, movable, selected });
  }

  private light(blocks: number[] | null): void {
    this.lit = new Set(blocks);
    shine({ rows: this.data.rows, items: this.items }, this.lit);
  }

  private hint(at: string | null): void {
    this.hinted = at;
    hint(this.items, at);
  }

  // ---- what is chosen ----

  private choose(value: string | null): void {
    this.selected = value;
    this.tell('select', { at: value });
  }

  private tell(what: string, value: unknown): void {
    this.choice.made({ selected: this.selected, cut: [...this.cut].sort(byNumber), order: this.order });
    this.render();
    this.send(what, value);
  }

  private act(item: SVGGElement, part?: string): void {
    const value = valueOf(item);
    if (value.startsWith('fold:')) return this.toggleFold(rowOf(item), Number(value.slice(5)));
    const block = blockOf(value);
    if (this.data.mode === 'cut' && block !== null) return this.toggleCut(item, block);
    if (part && block !== null && blockOf(this.selected) === block) this.choose(part === this.selected ? value : part);
    else this.choose(value === this.selected ? null : value);
  }

  private toggleCut(item: SVGGElement, block: number): void {
    if (kindOf(must(this.data.rows[rowOf(item)]), block).whole) return this.pointed(item);
    if (!this.cut.delete(block)) this.cut.add(block);
    this.selected = `block:${block}`;
    this.tell('cut', [...this.cut].sort(byNumber));
  }

  private toggleFold(r: number, stage: number): void {
    const open = this.opened(r);
    if (!open.delete(stage)) open.add(stage);
    this.open.set(r, open);
    this.render();
  }

  // ---- hand and keyboard ----

  private clicked(event: MouseEvent): void {
    if (this.drag.ended()) return;
    const { fold, row } = event.target instanceof SVGElement ? event.target.dataset : {};
    if (fold !== undefined) return this.toggleFold(Number(row), Number(fold));
    const item = itemAt(event);
    if (!item) return;
    this.place([rowOf(item), this.items[rowOf(item)]?.indexOf(item) ?? 0], false);
    this.act(item, partAt(item, event.clientX));
    this.pointed(null);
  }

  private pressed(event: KeyboardEvent): void {
    const item = itemAt(event);
    if (!item) return;
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const row = this.items[rowOf(item)] ?? [];
    const to = beside(this.items, event.key, rowOf(item), row.indexOf(item));
    if (event.altKey && way) this.move(item, row[row.indexOf(item) + way]);
    else if (to) this.place(to, true);
    else if (event.key === 'Enter' || event.key === ' ') this.act(item);
    else if (event.key === 'Escape' && this.selected) this.choose(null);
    else return;
    event.preventDefault();
  }

  private place([r, i]: Focus, take: boolean): void {
    const row = this.items[Math.min(r, this.items.length - 1)] ?? [];
    const item = row[Math.min(i, row.length - 1)];
    for (const other of this.items.flat()) other.setAttribute('tabindex', other === item ? '0' : '-1');
    this.focus = [r, i];
    if (take) item?.focus();
  }

  // ---- another order ----

  /** Where in the first net's order a block stands; undefined for anything else. */
  private placeOf(item: SVGGElement | undefined): number | undefined {
    const row = this.data.rows[0];
    const block = item && row && rowOf(item) === 0 ? blockOf(valueOf(item)) : null;
    return row && block !== null ? standing(row, this.order).indexOf(block) : undefined;
  }

  private orderWith(item: SVGGElement, other: SVGGElement | undefined): number[] | null {
    const row = this.data.rows[0];
    const [from, to] = [this.placeOf(item), this.placeOf(other)];
    if (!this.data.movable || !row || from === undefined || to === undefined) return null;
    return moved(row, standing(row, this.order), from, to);
  }

  private move(item: SVGGElement, other: SVGGElement | undefined): void {
    const made = this.orderWith(item, other);
    if (!made || !other) return;
    this.focus = [0, this.items[0]?.indexOf(other) ?? 0];
    this.order = made.every((block, place) => block === place) ? [] : made;
    this.selected = valueOf(item);
    this.tell('order', made);
  }

  // ---- what is pointed at ----

  private pointed(item: SVGGElement | null): void {
    store.say('point', this.data.lights, { block: item ? blockOf(valueOf(item)) : null });
    const shown = item && !valueOf(item).startsWith('fold:') ? item : null;
    this.tip.hidden = !shown;
    if (!shown) return;
    const row = must(this.data.rows[rowOf(shown)]);
    const block = blockOf(valueOf(shown));
    const words = block === null ? layerWords(row, valueOf(shown)) : blockWords(row, block, this.data.mode);
    const [name, ...rest] = words;
    this.tip.replaceChildren(make('b', '', `${row.name} · ${name}`), ...rest.map((text) => make('span', '', text)));
    placeTip(this.root, this.tip, shown);
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<StripData>): () => void {
  const root = one(parentElement, '.strip');
  instance(root, () => new Strip(root)).receive(data, setTriggerValue);
  return whenGone<Strip>(root, (strip) => strip.end());
}
