// Feature maps as sheets: one canvas a part, one canvas pixel a number, enlarged by whole factors without smoothing.

import { add, focused, instance, make, must, one, whenGone, type Given } from '../shared/index.js';
import { written, type Rgb } from './colours.js';
import { Grid, Maps, type Place } from './maps.js';

const MOST = 3; // parts in a row
const WIDE = 620; // pixels that parts side by side need
const LARGEST = { picture: 168, part: 560 }; // pixels

interface Drawn {
  canvas: HTMLCanvasElement;
  mark: HTMLElement;
}

/** A canvas that is filled pixel by pixel. */
function painted(parent: HTMLElement, width: number, height: number): [HTMLCanvasElement, Paint, () => void] {
  const canvas = Object.assign(add(parent, 'canvas'), { width, height });
  const context = must(canvas.getContext('2d'));
  const { data } = context.createImageData(width, height);
  const paint: Paint = (x, y, [red, green, blue]) => {
    const at = 4 * (y * width + x);
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255;
  };
  return [canvas, paint, () => context.putImageData(new ImageData(data, width, height), 0, 0)];
}

type Paint = (x: number, y: number, colour: Rgb) => void;

const px = (left: number, top: number, width: number, height: number): Partial<CSSStyleDeclaration> => ({
  left: `${left}px`,
  top: `${top}px`,
  width: `${width}px`,
  height: `${height}px`,
});

export class Sheet {
  private readonly sizes = new ResizeObserver(() => this.resized());
  private maps: Maps | undefined;
  private grid = new Grid({ count: 1, height: 1, width: 1, order: [] }, 1);
  private sheets: Drawn[] = [];
  private field = make('div');
  private told = make('div');
  private room = 0;
  private zoom = 1;
  private chosen: number | null = null;
  private send: (pick: { channel: number }) => void = () => undefined;

  constructor(private readonly root: HTMLElement) {
    this.sizes.observe(root);
  }

  receive(bytes: Uint8Array<ArrayBuffer>, send: (pick: { channel: number }) => void): void {
    this.send = send;
    this.maps = new Maps(bytes);
    this.build(this.maps);
  }

  end(): void {
    this.sizes.disconnect();
  }

  private build(maps: Maps): void {
    const { head } = maps;
    const room = this.root.clientWidth || 900;
    this.room = room;
    const beside = room > WIDE ? Math.min(head.parts.length, MOST) : 1;
    const picture = Math.min(LARGEST.picture, Math.floor(room / 4)); // large images are drawn smaller than they are
    const each = Math.min(room > WIDE ? (room - picture - 22 * (beside + 1)) / beside : room, LARGEST.part);
    this.grid = new Grid(head, each);
    const had = this.sheets.findIndex(({ canvas }) => canvas === focused(this.root));
    this.root.replaceChildren();
    this.drawImage(maps, picture);
    this.sheets = head.parts.map((name, part) => this.drawSheet(maps, name, part));
    this.told = add(this.root, 'div', 'told');
    this.told.setAttribute('role', 'status');
    this.say(head.told);
    this.select(head.selected);
    this.sheets[had]?.canvas.focus({ preventScroll: true });
    this.root.dataset.updates = String(Number(this.root.dataset.updates ?? 0) + 1);
  }

  private drawImage({ head: { image, caption }, pixels }: Maps, wanted: number): void {
    const { channels, side } = image;
    const figure = add(this.root, 'figure', 'image');
    add(figure, 'figcaption', '', caption);
    const holder = add(figure, 'div', 'holder');
    const [canvas, paint, done] = painted(holder, side, side);
    this.zoom = wanted < side ? wanted / side : Math.floor(wanted / side);
    canvas.style.width = canvas.style.height = `${side * this.zoom}px`;
    if (this.zoom < 1) canvas.style.imageRendering = 'auto';
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', caption);
    const band = (k: number, i: number): number => pixels[Math.min(k, channels - 1) * side * side + i] ?? 0;
    for (let i = 0; i < side * side; i++) {
      paint(i % side, Math.floor(i / side), [band(0, i), band(1, i), band(2, i)]);
    }
    done();
    this.field = add(holder, 'div', 'mark');
    this.field.hidden = true;
  }

  private drawSheet(maps: Maps, name: string, part: number): Drawn {
    const { at, count, height, width, order } = maps.head;
    const { grid } = this;
    const figure = add(this.root, 'figure', 'maps');
    add(figure, 'figcaption', '', name);
    const holder = add(figure, 'div', 'holder');
    const [canvas, paint, done] = painted(holder, grid.wide, grid.high);
    canvas.tabIndex = 0;
    canvas.style.width = `${grid.wide * grid.times}px`;
    canvas.style.height = `${grid.high * grid.times}px`;
    canvas.setAttribute('role', 'application');
    const what = `${count} channels of ${height} by ${width}`;
    canvas.setAttribute(
      'aria-label',
      `${at}, ${name}: ${what}, the most active first. Arrow keys move, Enter chooses.`,
    );
    order.forEach((channel, place) => {
      const [left, top] = grid.corner(place);
      maps.drawn(part, channel).forEach((colour, i) => {
        paint(left + (i % width), top + Math.floor(i / width), colour);
      });
    });
    done();
    this.listen(maps, canvas, part);
    const mark = add(holder, 'div', 'mark shown');
    mark.hidden = true;
    return { canvas, mark };
  }

  private listen(maps: Maps, canvas: HTMLCanvasElement, part: number): void {
    canvas.addEventListener('pointermove', (event) => this.hover(maps, part, this.under(canvas, event)));
    canvas.addEventListener('pointerleave', () => this.hover(maps, part, null));
    canvas.addEventListener('click', (event) => {
      const at = this.under(canvas, event);
      if (at) this.pick(at.channel);
    });
    canvas.addEventListener('keydown', (event) => this.pressed(maps, event));
  }

  private under(canvas: HTMLCanvasElement, event: MouseEvent): Place | null {
    const box = canvas.getBoundingClientRect();
    return this.grid.under(event.clientX - box.left, event.clientY - box.top);
  }

  private hover(maps: Maps, part: number, at: Place | null): void {
    this.field.hidden = !at;
    const { told, image, parts } = maps.head;
    if (!at) return this.say(told);
    const { rows, columns } = maps.window(at);
    const [top, bottom] = rows;
    const [left, right] = columns;
    const { zoom } = this;
    Object.assign(this.field.style, px(left * zoom, top * zoom, (right - left) * zoom, (bottom - top) * zoom));
    const whole = right - left === image.side && bottom - top === image.side;
    const sees = whole ? 'the whole image' : `rows ${top}–${bottom - 1}, columns ${left}–${right - 1} of the image`;
    const value = written(maps.value(part, at));
    this.say(`channel ${at.channel}, row ${at.y}, column ${at.x}: ${value}`, ` (${parts[part] ?? ''}) · sees ${sees}`);
  }

  private say(bold: string, rest = ''): void {
    this.told.replaceChildren(make(rest ? 'b' : 'span', '', bold), rest);
  }

  private pick(channel: number): void {
    this.select(channel);
    this.send({ channel });
  }

  private select(channel: number | null): void {
    const { order, height, width } = must(this.maps).head;
    const place = channel === null ? -1 : order.indexOf(channel);
    const { times } = this.grid;
    const [left, top] = this.grid.corner(place);
    for (const { mark } of this.sheets) {
      mark.hidden = place < 0;
      Object.assign(mark.style, px(left * times - 2, top * times - 2, width * times + 4, height * times + 4));
    }
    this.chosen = channel;
  }

  private pressed({ head: { order } }: Maps, event: KeyboardEvent): void {
    const { columns } = this.grid;
    const ways: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      return this.pick(this.chosen ?? must(order[0]));
    }
    const by = ways[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = order[Math.max(0, this.chosen === null ? -1 : order.indexOf(this.chosen)) + by];
    if (next === undefined) return;
    this.select(next);
    this.say(`channel ${next}`, ' · Enter chooses it');
  }

  private resized(): void {
    const width = this.root.clientWidth;
    if (this.maps && width && Math.abs(width - this.room) > 4) this.build(this.maps);
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<Uint8Array<ArrayBuffer>>): () => void {
  const root = one(parentElement, '.sheet');
  instance(root, () => new Sheet(root)).receive(data, (value) => setTriggerValue('pick', value));
  return whenGone<Sheet>(root, (sheet) => sheet.end());
}
