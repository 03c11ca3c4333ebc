// A net unrolled: the tree of its paths, beside it their lengths, below it the equation.

import { add, Choice, instance, make, one, store, whenGone } from '../shared/index.js';
import type { Given, Send, Topics } from '../shared/index.js';
import { folded, whole, type Terms } from './equation.js';
import { Geometry } from './geometry.js';
import { lengths } from './lengths.js';
import { pathsAt, pathsOf } from './owned.js';
import { allPaths, below, bitOf, further, gone, lengthOf, passing, power, shares, words, type Net } from './paths.js';
import { tree } from './tree.js';

export interface UnrolledData {
  name: string;
  colour: string;
  plainColour: string;
  plain: boolean;
  blocks: number;
  labels: string[];
  terms: Terms[];
  off: number[];
  folded: boolean;
  lights: string;
}

/** What is lit: `only` that length of what these paths become beyond the tree; `note`: what is said if none is. */
interface Lit {
  paths: number[] | null;
  only: number | null;
  note: string;
}

const NONE: Lit = { paths: null, only: null, note: '' };
const HOW = 'Click a block to switch it off. Point at a path, a bar or a term.';
const LONG = 4; // more blocks than these make a long equation

const blockAt = ({ target }: Event): SVGElement | null =>
  target instanceof Element ? target.closest<SVGElement>('.block') : null;

export class Unrolled {
  private readonly choice = new Choice<number[]>();
  private readonly count: HTMLElement;
  private readonly which: HTMLElement;
  private readonly pictures: HTMLElement;
  private readonly equation: HTMLElement;
  private readonly sizes = new ResizeObserver(() => this.data && this.render(this.data));
  private readonly deafen: () => void;
  private data: UnrolledData | undefined;
  private off = new Set<number>();
  private paths: number[] = [];
  private lit = NONE;
  /** What the arrow keys go through: blocks, paths, lengths. */
  private groups: SVGElement[][] = [];
  private key = '';
  private told = '';
  private send: Send = () => undefined;

  constructor(private readonly root: HTMLElement) {
    root.replaceChildren();
    const head = add(root, 'div', 'head');
    this.count = add(head, 'span', 'count');
    this.which = add(head, 'span', 'which');
    this.which.setAttribute('aria-live', 'polite');
    this.pictures = add(root, 'div', 'pictures');
    this.equation = add(root, 'div', 'equation');
    root.addEventListener('pointerover', (event) => this.light({ ...NONE, paths: pathsAt(event) }));
    root.addEventListener('pointerleave', () => this.light(NONE));
    root.addEventListener('focusin', (event) => {
      const seen = event.target instanceof Element && event.target.matches(':focus-visible');
      if (seen) this.light({ ...NONE, paths: pathsAt(event) });
    });
    root.addEventListener('focusout', () => this.light(NONE));
    root.addEventListener('click', (event) => this.toggle(blockAt(event)));
    root.addEventListener('keydown', (event) => this.pressed(event));
    this.sizes.observe(root);
    this.deafen = store.listen(
      'point',
      () => this.data?.lights ?? '',
      (at) => this.pointed(at),
    );
  }

  end(): void {
    this.sizes.disconnect();
    this.deafen();
  }

  receive(data: UnrolledData, send: Send): void {
    this.data = data;
    this.send = send;
    this.off = new Set(this.choice.or(data.off));
    this.render(data);
  }

  private render(data: UnrolledData): void {
    const width = this.root.clientWidth;
    if (!width) return;
    const { name, terms, plain, blocks, colour } = data;
    const key = JSON.stringify([width, name, terms, plain, data.folded, blocks, colour]);
    if (key !== this.key) {
      this.key = key;
      this.build(data, width);
    }
    this.mark(data);
  }

  private build(data: UnrolledData, width: number): void {
    const { name, labels, terms, plain } = data;
    const at = new Geometry(labels.length, plain, width);
    this.paths = allPaths(labels.length, plain);
    this.lit = NONE;
    this.root.style.setProperty('--c', data.colour);
    this.root.style.setProperty('--plain', data.plainColour);
    const scene = { at, name, labels, paths: this.paths };
    this.pictures.replaceChildren(tree(scene), lengths(this.paths, at.n, at.bars));
    this.pictures.classList.toggle('narrow', at.narrow);
    this.equation.replaceChildren(...(data.folded ? folded(terms, this.paths) : whole(terms, this.paths)));
    this.equation.classList.toggle('long', !data.folded && at.n > LONG);
    this.groups = ['.block', '.leaf-row', '.bar'].map((kind) => this.all(kind));
    for (const group of this.groups) group.forEach((item, i) => item.setAttribute('tabindex', i ? '-1' : '0'));
  }

  private all(selector: string): SVGElement[] {
    return [...this.root.querySelectorAll<SVGElement>(selector)];
  }

  // ---- what is off, what is lit ----

  private net({ labels, blocks, plain }: UnrolledData): Net {
    return { labels, blocks, plain, off: this.off };
  }

  private mark(data: UnrolledData): void {
    const { labels } = data;
    const net = this.net(data);
    const ended = gone(net);
    const isDead = (path: number): boolean => (path & ended) !== 0;
    const lit = this.lit.paths && new Set(this.lit.paths.filter((path) => !isDead(path)));
    const all = [...(lit ?? [])];
    const isPassed = (block: number): boolean => all.every((path) => path & bitOf(block, labels.length));
    const passed = all.length ? [...labels.keys()].filter(isPassed) : [];
    this.root.classList.toggle('lighting', Boolean(lit));
    for (const item of this.all('.edge, .tag, .leaf-row, .term')) {
      const own = pathsOf(item);
      item.classList.toggle('dead', own.every(isDead));
      item.classList.toggle('on', Boolean(lit) && own.some((path) => lit?.has(path)));
    }
    this.markBlocks(labels, passed);
    this.markBars(isDead, lit);
    const verdict = this.root.querySelector('.verdict');
    if (verdict) verdict.textContent = ended ? 'none left' : 'one path';
    this.counted(data, this.paths.filter((path) => !isDead(path)).length, lengthOf(ended));
    this.which.textContent = lit ? words(all, labels) : this.lit.note || HOW;
    this.tell(
      data.lights,
      all.length ? { blocks: passed, parts: shares(net, all, this.lit.only) } : { blocks: null, parts: null },
    );
  }

  private markBlocks(labels: string[], passed: number[]): void {
    for (const block of this.all('.block')) {
      const b = Number(block.dataset.block);
      const isOff = this.off.has(b);
      block.classList.toggle('off', isOff);
      block.classList.toggle('on', passed.includes(b));
      block.setAttribute('aria-checked', String(!isOff));
      block.setAttribute('aria-label', `block ${b}, ${labels[b] ?? ''}: ${isOff ? 'off' : 'on'}`);
    }
    this.all('.piece').forEach((piece, b) => piece.classList.toggle('off', this.off.has(b)));
  }

  private markBars(isDead: (path: number) => boolean, lit: Set<number> | null): void {
    this.all('.bar').forEach((bar, k) => {
      const own = pathsOf(bar);
      const alive = own.filter((path) => !isDead(path));
      const share = (some: number[]): string => `scaleY(${own.length ? some.length / own.length : 0})`;
      one(bar, '.alive').style.transform = share(alive);
      one(bar, '.lit').style.transform = share(alive.filter((path) => lit?.has(path)));
      one(bar, '.number').textContent = own.length ? String(alive.length) : '';
      bar.setAttribute('aria-label', `${alive.length} paths pass ${k} branches`);
    });
  }

  private counted({ labels, blocks, plain }: UnrolledData, left: number, cut: number): void {
    const n = labels.length;
    const was = plain ? 'one path' : `${power(n)} = ${2 ** n} path${n ? 's' : ''}`;
    const now = plain ? 'none left' : `${power(n - cut)} = ${left} left`;
    const which = `${n === blocks ? 'all' : 'the first'} ${n === 1 ? 'block' : `${n} blocks`}`;
    const others = n < blocks ? ` of ${blocks}; the others are folded` : '';
    this.count.replaceChildren(make('b', '', cut ? `${was} → ${now}` : was), ` through ${which}${others}`);
  }

  /** To the strips and the chart, once. */
  private tell(lights: string, light: Topics['light']): void {
    const text = JSON.stringify(light);
    if (text === this.told) return;
    this.told = text;
    store.say('light', lights, light);
  }

  private light(lit: Lit): void {
    if (!this.data || JSON.stringify(lit) === JSON.stringify(this.lit)) return;
    this.lit = lit;
    this.mark(this.data);
  }

  /** Something outside points at a block, or at a length of path; or at nothing any more. */
  private pointed({ block = null, length = null }: Topics['point']): void {
    if (!this.data) return;
    const n = this.data.labels.length;
    const rest = further(this.net(this.data));
    if (length !== null) {
      const leads = (path: number): boolean => lengthOf(path) <= length && length <= lengthOf(path) + rest;
      return this.light({ ...NONE, paths: this.paths.filter(leads), only: length });
    }
    if (block === null) return this.light(NONE);
    if (block < n) return this.light({ ...NONE, paths: passing(this.paths, block, n) });
    const note = `F${below(block + 1)} is not drawn: every path of the tree goes on through it, and past it.`;
    this.light({ ...NONE, note });
  }

  private toggle(block: SVGElement | null): void {
    if (!block || !this.data) return;
    const b = Number(block.dataset.block);
    if (!this.off.delete(b)) this.off.add(b);
    const off = [...this.off].sort((x, y) => x - y);
    this.choice.made(off);
    this.mark(this.data);
    this.send('off', off);
  }

  private pressed(event: KeyboardEvent): void {
    const { target } = event;
    const group = this.groups.find((items) => items.some((item) => item === target));
    if (!group) return;
    const i = group.findIndex((item) => item === target);
    const last = group.length - 1;
    const ways: Record<string, number> = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1 };
    const to = { Home: 0, End: last, ...ways }[event.key];
    if (to !== undefined) {
      const next = group[Math.min(Math.max(to, 0), last)];
      for (const item of group) item.setAttribute('tabindex', item === next ? '0' : '-1');
      next?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') this.toggle(blockAt(event));
    else if (event.key === 'Escape') this.light(NONE);
    else return;
    event.preventDefault();
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<UnrolledData>): () => void {
  const root = one(parentElement, '.unrolled');
  instance(root, () => new Unrolled(root)).receive(data, setTriggerValue);
  return whenGone<Unrolled>(root, (unrolled) => unrolled.end());
}
