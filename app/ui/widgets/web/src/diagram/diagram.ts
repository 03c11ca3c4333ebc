// Nets drawn layer by layer, side by side, with zoom.

import { add, blockOf, draw, focused, instance, make, one, whenGone, type Given, type Send } from '../shared/index.js';
import { drawColumn } from './column.js';
import { BAND, parts, placed, type Banded, type Column } from './plan.js';
import { showTip } from './tip.js';

const NARROW = 480;
const BAR = 12; // pixels of the scroll bar
const SCALE = { least: 0.12, most: 3, step: 1.25 };
const KEY = 'Left: the side of the maps. Arcs: solid, the identity; dotted, dimensions change.';
const SHORT_KEY = 'Left: side of the maps. Dotted arcs: dimensions change.';

interface Chosen {
  net: number;
  at: string;
}

export interface DiagramData {
  columns: Column[];
  chosen: Chosen | null;
}

type Focus = [net: number, place: number];

const itemAt = ({ target }: Event): SVGGElement | null =>
  target instanceof Element ? target.closest<SVGGElement>('.item') : null;
const names = (data?: DiagramData): string | undefined =>
  data?.columns.map((column) => column.name + column.totals.join()).join();

const partKey = (part: Banded): number | string => {
  if (part.what === 'block') return part.index;
  return part.what === 'box' ? '' : `${part.what} ${part.what === 'fold' ? part.count : part.stage}`;
};

export class Diagram {
  private readonly key: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly head = make('div', 'head');
  private readonly tip: HTMLElement;
  private readonly sizes = new ResizeObserver(() => this.data && this.render(this.data));
  /** Stages that were unfolded, of each net. */
  private readonly open = new Map<number, Set<number>>();
  private data: DiagramData | undefined;
  private chosen: Chosen | null = null;
  private items: SVGGElement[][] = [];
  private svg = draw('svg', {});
  private size: [width: number, height: number] = [1, 1];
  private columns: number[] = [];
  private focus: Focus | null = null;
  private zoom = 1;
  private drawn = '';
  private send: Send = () => undefined;

  constructor(private readonly root: HTMLElement) {
    root.replaceChildren();
    const bar = add(root, 'div', 'bar');
    this.key = add(bar, 'span', 'key');
    const buttons = add(bar, 'span', 'buttons');
    this.button(buttons, '−', 'smaller', () => this.zoom / SCALE.step);
    this.button(buttons, '+', 'larger', () => this.zoom * SCALE.step);
    this.button(buttons, 'whole net', 'the whole net at once', () => this.whole());
    this.button(buttons, '100 %', 'letters at full size', () => 1);
    this.scroller = add(root, 'div', 'scroller');
    this.tip = add(root, 'div', 'tip');
    this.tip.hidden = true;
    this.listen(this.scroller);
    this.sizes.observe(root);
  }

  private button(parent: HTMLElement, text: string, words: string, zoom: () => number): void {
    const button = add(parent, 'button', '', text);
    button.type = 'button';
    button.setAttribute('aria-label', words);
    button.addEventListener('click', () => this.zoomTo(zoom()));
  }

  private listen(scroller: HTMLElement): void {
    const point = (target: EventTarget | null): void =>
      showTip(this.root, this.tip, target instanceof Element ? target : null);
    scroller.addEventListener('click', (event) => this.clicked(event));
    scroller.addEventListener('keydown', (event) => this.pressed(event));
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomTo(this.zoom * 0.998 ** event.deltaY);
    };
    scroller.addEventListener('wheel', wheel, { passive: false });
    scroller.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'touch') point(event.target);
    });
    scroller.addEventListener('focusin', (event) => {
      if (event.target instanceof Element && event.target.matches(':focus-visible')) point(event.target);
    });
    for (const end of ['pointerleave', 'focusout', 'scroll']) scroller.addEventListener(end, () => point(null));
  }

  receive(data: DiagramData, send: Send): void {
    if (names(this.data) !== names(data)) {
      this.open.clear();
      this.scroller.scrollTop = 0;
    }
    this.data = data;
    this.send = send;
    this.chosen = data.chosen;
    this.render(data);
  }

  end(): void {
    this.sizes.disconnect();
  }

  // ---- what is drawn ----

  private render(data: DiagramData): void {
    const width = this.root.clientWidth - BAR;
    if (width <= 0) return;
    const keep = (c: number): number | null => (this.chosen?.net === c ? blockOf(this.chosen.at) : null);
    const shown = data.columns.map((column, c) => parts(column, this.opened(c), keep(c)));
    const key = JSON.stringify([width, data.columns, shown.map((column) => column.map(partKey))]);
    if (key !== this.drawn) {
      this.drawn = key;
      this.build(data, width, shown);
    }
    this.mark();
  }

  private opened(c: number): Set<number> {
    return this.open.get(c) ?? new Set();
  }

  private build({ columns }: DiagramData, width: number, shown: Banded[][]): void {
    const held = this.scroller.contains(focused(this.scroller)) ? this.focus : null;
    const narrow = width < NARROW;
    const gutter = narrow ? 34 : 62;
    const arcs = narrow ? 22 : 40;
    const each = Math.min(Math.max((width - gutter) / columns.length, narrow ? 108 : 150), 330);
    const plan = placed(shown);
    this.size = [gutter + each * columns.length, plan.height + 4];
    const label = 'The nets, layer by layer, from the image down';
    const svg = draw('svg', { viewBox: `0 0 ${this.size.join(' ')}`, role: 'group', 'aria-label': label });
    plan.bands.forEach(({ side, top }, i) => {
      if (i) svg.append(draw('path', { class: 'rule', d: `M0 ${top + 1}H${this.size[0]}` }));
      svg.append(draw('text', { class: 'side', x: 0, y: top + BAND + 17 }, narrow ? side : `${side}×${side}`));
    });
    const at = { root: this.root, wide: each - arcs - 6, narrow, arcs };
    this.items = columns.map((column, c) => {
      const { g, items } = drawColumn(column, c, plan.columns[c] ?? [], { ...at, left: gutter + c * each });
      svg.append(g);
      return items;
    });
    this.svg = svg;
    this.heading(columns, narrow);
    this.columns = [gutter, ...columns.map(() => each)];
    this.scroller.replaceChildren(this.head, svg);
    this.key.textContent = narrow ? SHORT_KEY : KEY;
    this.resize();
    this.place(held ?? this.focus ?? [0, 0], Boolean(held));
  }

  private heading(columns: Column[], narrow: boolean): void {
    const cells = columns.map(({ name, colour, totals }) => {
      const [layers, work] = totals;
      const brief = work.replace(' multiply-adds', '').replace(' billion', ' G').replace(' million', ' M');
      const cell = make('div', 'title');
      cell.style.setProperty('--c', colour);
      add(cell, 'b', '', narrow ? name.replace('imagenet-', '') : name);
      add(cell, 'span', '', narrow ? `${layers.split(' ')[0] ?? ''} · ${brief}` : layers);
      add(cell, 'span', '', narrow ? '' : work);
      cell.title = `${name}: ${totals.join(', ')}`;
      return cell;
    });
    this.head.replaceChildren(make('span', 'gutter'), ...cells);
  }

  private resize(): void {
    const [width, height] = this.size;
    this.svg.setAttribute('width', String(width * this.zoom));
    this.svg.setAttribute('height', String(height * this.zoom));
    this.head.style.gridTemplateColumns = this.columns.map((column) => `${column * this.zoom}px`).join(' ');
    this.head.style.width = `${width * this.zoom}px`;
  }

  private whole(): number {
    return Math.min(1, (this.scroller.clientHeight - this.head.offsetHeight - 4) / this.size[1]);
  }

  private zoomTo(zoom: number): void {
    const { scroller } = this;
    const middle = (scroller.scrollTop + scroller.clientHeight / 2) / scroller.scrollHeight;
    this.zoom = Math.min(Math.max(zoom, SCALE.least), SCALE.most);
    this.resize();
    scroller.scrollTop = middle * scroller.scrollHeight - scroller.clientHeight / 2;
  }

  // ---- what is chosen ----

  private mark(): void {
    const { chosen } = this;
    const block = blockOf(chosen?.at);
    for (const item of this.items.flat()) {
      const { value, net } = item.dataset;
      const isIt = value === chosen?.at || (block !== null && value === `block:${block}`);
      const own = chosen?.net === Number(net) && isIt;
      item.classList.toggle('selected', own);
      item.setAttribute('aria-selected', String(own));
    }
  }

  private act(item: SVGGElement): void {
    const { value = '', net } = item.dataset;
    const c = Number(net);
    if (value.startsWith('fold:')) return this.toggleFold(c, Number(value.slice(5)));
    this.chosen = { net: c, at: value };
    this.mark();
    this.send('choose', this.chosen);
  }

  private toggleFold(c: number, stage: number): void {
    const open = this.opened(c);
    if (!open.delete(stage)) open.add(stage);
    this.open.set(c, open);
    if (this.data) this.render(this.data);
  }

  // ---- hand and keyboard ----

  private clicked(event: MouseEvent): void {
    const item = itemAt(event);
    if (!item) return;
    const c = Number(item.dataset.net);
    this.place([c, this.items[c]?.indexOf(item) ?? 0], false);
    this.act(item);
  }

  private pressed(event: KeyboardEvent): void {
    const item = itemAt(event);
    if (!item) return;
    const to = this.led(event.key, item);
    if (to) this.place(to, true);
    else if (event.key === 'Enter' || event.key === ' ') this.act(item);
    else if (event.key === '+') this.zoomTo(this.zoom * SCALE.step);
    else if (event.key === '-') this.zoomTo(this.zoom / SCALE.step);
    else return;
    event.preventDefault();
  }

  /** Where an arrow key leads from an item. */
  private led(key: string, item: SVGGElement): Focus | undefined {
    const c = Number(item.dataset.net);
    const i = this.items[c]?.indexOf(item) ?? 0;
    const last = (this.items[c]?.length ?? 1) - 1;
    const ways: Record<string, () => Focus> = {
      ArrowDown: () => [c, Math.min(i + 1, last)],
      ArrowUp: () => [c, Math.max(i - 1, 0)],
      ArrowRight: () => this.beside(item, c + 1),
      ArrowLeft: () => this.beside(item, c - 1),
      Home: () => [c, 0],
      End: () => [c, last],
    };
    return ways[key]?.();
  }

  /** The part of another column that stands nearest. */
  private beside(item: SVGGElement, to: number): Focus {
    const c = Math.min(Math.max(to, 0), this.items.length - 1);
    const here = item.getBoundingClientRect().top;
    const far = (this.items[c] ?? []).map((other) => Math.abs(other.getBoundingClientRect().top - here));
    return [c, far.indexOf(Math.min(...far))];
  }

  private place([c, i]: Focus, take: boolean): void {
    const column = this.items[Math.min(c, this.items.length - 1)] ?? [];
    const item = column[Math.min(i, column.length - 1)];
    for (const other of this.items.flat()) other.setAttribute('tabindex', other === item ? '0' : '-1');
    this.focus = [c, i];
    if (!take || !item) return;
    item.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    item.focus({ preventScroll: true });
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<DiagramData>): () => void {
  const root = one(parentElement, '.diagram');
  instance(root, () => new Diagram(root)).receive(data, setTriggerValue);
  return whenGone<Diagram>(root, (diagram) => diagram.end());
}
