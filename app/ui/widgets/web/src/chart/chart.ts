// A Plotly chart that keeps zoom, pan and hover while its data changes: one element, one Plotly.react an update.
// What arrives is [length of the head, 4 bytes][head, JSON][figure, gzipped JSON]; the figure is shared by all sessions,
// and comes by the feed where the head names one.

import {
  add,
  ALL,
  Following,
  instance,
  must,
  one,
  store,
  unframed,
  unpacked,
  whenGone,
  type Given,
  type Send,
  type Told,
} from '../shared/index.js';
import { completed, told, type Click } from './cells.js';
import { palette, type Palette } from './colours.js';
import { dressed, lifted, litBars } from './dress.js';
import { plotly, present, type Figure, type Layout, type Plot, type Plotly, type Shape } from './plotly.js';
import { Ranges } from './ranges.js';

// sendChartToCloud would hand the class's data to another host.
const REMOVED = ['sendChartToCloud', 'select2d', 'lasso2d', 'autoScale2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d'];
const UNHAND = 150; // milliseconds until a hand that zooms is looked for again

interface Head {
  etag: string;
  rev: string;
  height: number;
  marks: Shape[];
  lights: string;
  feed: Told | null;
  /** What plotly.js is called beside this module. */
  plotly: string;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Update = { bytes: Bytes } | { fed: Figure };

export class Chart {
  send: Send = () => undefined;
  private readonly plot: Plot;
  private readonly following = new Following();
  private readonly ranges = new Ranges();
  private readonly sizes = new ResizeObserver(() => this.resized());
  private readonly deafen: () => void;
  private head: Head | undefined;
  private figure: Figure | undefined;
  private etag: string | null = null;
  private next: { bytes?: Bytes; fed?: Figure } | null = null;
  private busy = false;
  private P: Plotly | undefined;
  private config: object | undefined;
  private drawn: Promise<void> | undefined;
  private later: ReturnType<typeof setTimeout> | undefined;
  private pointer: PointerEvent | null = null;
  private parts: number[] | null = null;
  private width = 0;

  constructor(private readonly root: HTMLElement) {
    this.plot = one(root, '.live-chart-plot') as Plot;
    this.sizes.observe(root);
    root.addEventListener('pointermove', (event) => (this.pointer = event));
    root.addEventListener('pointerleave', () => (this.pointer = null));
    this.deafen = store.listen(
      'light',
      () => this.head?.lights ?? '',
      ({ parts }) => this.light(parts),
    );
  }

  /**
   * One update at a time, always the newest: a slow browser skips some, and never falls behind. From the page comes a
   * head, with its figure or with the feed that has it; from the feed, a figure.
   */
  async receive(update: Update): Promise<void> {
    this.next = { ...this.next, ...update };
    if (this.busy) return;
    this.busy = true;
    for (let newest = this.taken(); newest; newest = this.taken()) {
      try {
        await this.show(newest);
      } catch (error) {
        console.error(error);
        this.failed();
      }
    }
    this.busy = false;
  }

  private taken(): { bytes?: Bytes; fed?: Figure } | null {
    const { next } = this;
    this.next = null;
    return next;
  }

  private async show({ bytes, fed }: { bytes?: Bytes; fed?: Figure }): Promise<void> {
    const fresh = bytes ? ((await this.opened(bytes)) ?? fed) : fed;
    if (fresh) {
      this.figure = { ...fresh, data: fresh.data.map(completed) };
      this.root.setAttribute('aria-label', fresh.alt);
    }
    const head = must(this.head);
    this.root.style.height = `${head.height}px`;
    this.P = await plotly(head.plotly);
    if (!this.root.isConnected || !this.figure) return;
    this.root.querySelector('.live-chart-note')?.remove();
    this.draw();
    await this.drawn;
  }

  /** A new head, and its figure where that is another than before. */
  private async opened(bytes: Bytes): Promise<Figure | undefined> {
    const { head, body } = unframed<Head>(bytes);
    const figure = !head.feed && head.etag !== this.etag ? await unpacked<Figure>(body) : undefined;
    this.etag = head.feed ? null : head.etag;
    this.following.follow<Figure>(
      head.feed,
      (part) => void this.receive({ fed: part }),
      (shape) => this.send('changed', shape),
    );
    this.head = head;
    return figure;
  }

  private draw(): void {
    const { P, figure, head } = this;
    if (!P || !figure || !head) return;
    if (this.plot._dragging) {
      clearTimeout(this.later); // never pull a chart away from under the hand that zooms it
      this.later = setTimeout(() => this.draw(), UNHAND);
      return;
    }
    const colours = palette(this.root);
    const asked = { ...this.layout(figure, head, colours), height: head.height, uirevision: head.rev };
    const first = !this.drawn;
    this.config ??= this.configured(P); // once: another config would be another plot
    const data = lifted(figure.data, colours);
    this.drawn = P.react(this.plot, data, this.ranges.keep(asked), this.config).then(() => {
      this.root.dataset.updates = String(Number(this.root.dataset.updates ?? 0) + 1);
      if (first) this.listenTo(this.plot);
      this.hoverAgain();
    });
  }

  private configured(P: Plotly): object {
    return {
      displaylogo: false,
      displayModeBar: 'hover',
      doubleClick: false,
      showSendToCloud: false,
      plotlyServerURL: '',
      modeBarButtonsToRemove: REMOVED,
      modeBarButtonsToAdd: [{ name: 'whole', title: 'Show all', icon: P.Icons.home, click: () => this.reset() }],
    };
  }

  private reset(): void {
    this.ranges.reset();
    this.draw();
  }

  private listenTo(plot: Plot): void {
    plot.on('plotly_relayout', (changes) => this.ranges.zoomed(changes));
    plot.on('plotly_doubleclick', () => this.reset());
    plot.on('plotly_click', ({ points }) => this.send('click', told(must(points[0]))));
    plot.on('plotly_hover', ({ points }) => this.pointedAt(told(must(points[0]))));
    plot.on('plotly_unhover', () => this.pointedAt({ x: null, customdata: null }));
  }

  private pointedAt({ x, customdata }: Pick<Click, 'x' | 'customdata'>): void {
    store.say('point', this.head?.lights ?? '', { length: typeof x === 'number' ? x : null });
    store.say('hint', ALL, { at: typeof customdata === 'string' ? customdata : null });
  }

  private layout(figure: Figure, head: Head, colours: Palette): Layout {
    const marks = [...head.marks, ...litBars(this.parts ?? [], colours)];
    return dressed(figure.layout, marks, colours, this.root.clientWidth);
  }

  /** Of each bar, the part that belongs to the lit paths. Shapes alone are drawn anew: what the pointer shows stays. */
  private light(parts: number[] | null): void {
    this.parts = parts;
    const { P, figure, head } = this;
    if (!P || !figure || !head || !this.drawn || this.plot._dragging) return;
    P.relayout(this.plot, { shapes: this.layout(figure, head, palette(this.root)).shapes });
  }

  private hoverAgain(): void {
    if (!this.pointer) return;
    const { clientX, clientY } = this.pointer;
    const under = document.elementFromPoint(clientX, clientY);
    if (!under || !this.plot.contains(under)) return;
    under.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true, view: window }));
  }

  private resized(): void {
    const width = this.root.clientWidth;
    if (!this.figure || !this.P || !width || width === this.width) return;
    this.width = width;
    this.draw();
    this.P.Plots.resize(this.plot);
  }

  private failed(): void {
    if (this.root.querySelector('.live-chart-note')) return;
    const said =
      'This chart could not be drawn: its library did not load. The numbers are kept; reload the page to try again.';
    const note = add(this.root, 'div', 'live-chart-note', said);
    note.setAttribute('role', 'status');
    add(note, 'small', '', this.root.getAttribute('aria-label') ?? '');
  }

  end(): void {
    clearTimeout(this.later);
    this.sizes.disconnect();
    this.deafen();
    this.following.end();
    present()?.purge(this.plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<Bytes>): () => void {
  const root = one(parentElement, '.live-chart');
  const chart = instance(root, () => new Chart(root));
  chart.send = setTriggerValue;
  void chart.receive({ bytes: data });
  return whenGone<Chart>(root, (gone) => gone.end());
}
