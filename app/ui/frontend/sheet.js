// Feature maps as sheets: one canvas a part, one canvas pixel a number, enlarged by whole factors without smoothing.
// What arrives is [length of the head, 4 bytes][head, JSON][maps, float32, P×C×H×W][image, bytes, channels×side×side].

import { unframed } from './feed.js';

const GAP = 1, MOST = 3; // pixels between maps; parts in a row
const hex = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));

function lookup(scale) { // 256 colours from the anchors of a Plotly scale
  const anchors = scale.map(([place, colour]) => [place, hex(colour)]);
  return Array.from({ length: 256 }, (_, n) => {
    const share = n / 255;
    let i = 1;
    while (i < anchors.length - 1 && share > anchors[i][0]) i++;
    const [[from, a], [to, b]] = [anchors[i - 1], anchors[i]];
    return a.map((value, band) => Math.round(value + (b[band] - value) * Math.min(1, (share - from) / (to - from))));
  });
}

const make = (tag, parent, name = '') => {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
};
const written = (v) => (v === 0 ? '0' : Math.abs(v) >= 0.01 && Math.abs(v) < 1e4 ? v.toPrecision(3) : v.toExponential(1));

class Sheet {
  constructor(root) {
    this.root = root;
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(root);
  }

  receive(bytes, send) {
    this.send = send;
    const { head, body } = unframed(bytes);
    const { parts, count, height, width, image } = head;
    const numbers = parts.length * count * height * width;
    this.maps = new Float32Array(body.slice(0, 4 * numbers).buffer); // a copy, because of its alignment
    this.pixels = body.slice(4 * numbers, 4 * numbers + image.channels * image.side ** 2);
    this.head = head;
    this.colours = lookup(head.scale);
    this.build();
  }

  value(part, channel, y, x) {
    const { count, height, width } = this.head;
    return this.maps[((part * count + channel) * height + y) * width + x];
  }

  ends(part, channel) { // of the colour scale
    const { count, height, width, shared, signed } = this.head;
    const own = height * width, begin = shared ? 0 : (part * count + channel) * own;
    const key = shared ? 'all' : begin;
    this.known ??= new Map();
    if (!this.known.has(key)) {
      let top = 0;
      for (let i = begin; i < (shared ? this.maps.length : begin + own); i++) top = Math.max(top, signed ? Math.abs(this.maps[i]) : this.maps[i]);
      this.known.set(key, [signed ? -top : 0, top]);
    }
    return this.known.get(key);
  }

  build() {
    const { parts, count, height, width, image, told } = this.head;
    this.known = null;
    const room = this.root.clientWidth || 900;
    this.room = room;
    const beside = room > 620 ? Math.min(parts.length, MOST) : 1;
    const picture = Math.min(168, Math.floor(room / 4)); // large images are drawn smaller than they are
    const each = Math.min(room > 620 ? (room - picture - 22 * (beside + 1)) / beside : room, 560);
    this.columns = Math.min(count, Math.max(1, Math.ceil(Math.sqrt(count * (height + GAP) / (width + GAP)))));
    this.rows = Math.ceil(count / this.columns);
    const wide = this.columns * (width + GAP) - GAP, high = this.rows * (height + GAP) - GAP;
    const raw = Math.min(each / wide, 520 / high);
    this.times = raw >= 1 ? Math.min(Math.floor(raw), 16) : raw;
    const focused = this.root.contains(this.root.getRootNode().activeElement) ? [...this.root.querySelectorAll('.maps canvas')].indexOf(this.root.getRootNode().activeElement) : -1;
    this.root.replaceChildren();
    this.drawImage(image, picture);
    this.sheets = parts.map((name, part) => this.drawSheet(name, part, wide, high));
    this.told = make('div', this.root, 'told');
    this.told.setAttribute('role', 'status');
    this.say(told);
    this.select(this.head.selected);
    if (focused >= 0) this.sheets[focused]?.canvas.focus({ preventScroll: true });
    this.root.dataset.updates = String(Number(this.root.dataset.updates ?? 0) + 1);
  }

  drawImage({ channels, side }, wanted) {
    const figure = make('figure', this.root, 'image');
    make('figcaption', figure).textContent = this.head.caption;
    const holder = make('div', figure, 'holder'), canvas = make('canvas', holder);
    canvas.width = canvas.height = side;
    this.zoom = wanted < side ? wanted / side : Math.floor(wanted / side);
    canvas.style.width = canvas.style.height = `${side * this.zoom}px`;
    if (this.zoom < 1) canvas.style.imageRendering = 'auto';
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', this.head.caption);
    const context = canvas.getContext('2d'), drawn = context.createImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      for (let band = 0; band < 3; band++) drawn.data[4 * i + band] = this.pixels[Math.min(band, channels - 1) * side * side + i];
      drawn.data[4 * i + 3] = 255;
    }
    context.putImageData(drawn, 0, 0);
    this.field = make('div', holder, 'mark');
    this.field.hidden = true;
  }

  drawSheet(name, part, wide, high) {
    const { at, count, height, width, order } = this.head;
    const figure = make('figure', this.root, 'maps');
    make('figcaption', figure).textContent = name;
    const holder = make('div', figure, 'holder'), canvas = make('canvas', holder);
    [canvas.width, canvas.height, canvas.tabIndex] = [wide, high, 0];
    canvas.style.width = `${wide * this.times}px`;
    canvas.style.height = `${high * this.times}px`;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', `${at}, ${name}: ${count} channels of ${height} by ${width}, the most active first. Arrow keys move, Enter chooses.`);
    const context = canvas.getContext('2d'), drawn = context.createImageData(wide, high);
    order.forEach((channel, place) => {
      const [low, top] = this.ends(part, channel);
      const left = (place % this.columns) * (width + GAP), above = Math.floor(place / this.columns) * (height + GAP);
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
        const share = top > low ? (this.value(part, channel, y, x) - low) / (top - low) : this.head.signed ? 0.5 : 0;
        const colour = this.colours[Math.max(0, Math.min(255, Math.round(255 * share)))], at = 4 * ((above + y) * wide + left + x);
        for (let band = 0; band < 3; band++) drawn.data[at + band] = colour[band];
        drawn.data[at + 3] = 255;
      }
    });
    context.putImageData(drawn, 0, 0);
    canvas.addEventListener('pointermove', (event) => this.hover(part, this.under(canvas, event)));
    canvas.addEventListener('pointerleave', () => this.hover(part, null));
    canvas.addEventListener('click', (event) => { const at = this.under(canvas, event); if (at) this.pick(at.channel); });
    canvas.addEventListener('keydown', (event) => this.pressed(event));
    const mark = make('div', holder, 'mark shown');
    mark.hidden = true;
    return { canvas, mark };
  }

  under(canvas, event) {
    const box = canvas.getBoundingClientRect(), { height, width, order } = this.head;
    const x = Math.floor((event.clientX - box.left) / this.times), y = Math.floor((event.clientY - box.top) / this.times);
    const column = Math.floor(x / (width + GAP)), row = Math.floor(y / (height + GAP));
    const channel = order[row * this.columns + column], at = { channel, x: x - column * (width + GAP), y: y - row * (height + GAP) };
    return channel === undefined || column >= this.columns || at.x >= width || at.y >= height || x < 0 || y < 0 ? null : at;
  }

  hover(part, at) {
    this.field.hidden = !at;
    if (!at) return this.say(this.head.told);
    const { field, image, parts } = this.head;
    const window = (place) => { const begin = field.start + place * field.jump; return [Math.max(begin, 0), Math.min(begin + field.side, image.side)]; };
    const [top, bottom] = window(at.y), [left, right] = window(at.x);
    Object.assign(this.field.style, { left: `${left * this.zoom}px`, top: `${top * this.zoom}px`,
      width: `${(right - left) * this.zoom}px`, height: `${(bottom - top) * this.zoom}px` });
    const sees = right - left === image.side && bottom - top === image.side ? 'the whole image' : `rows ${top}–${bottom - 1}, columns ${left}–${right - 1} of the image`;
    this.say(`channel ${at.channel}, row ${at.y}, column ${at.x}: ${written(this.value(part, at.channel, at.y, at.x))}`, ` (${parts[part]}) · sees ${sees}`);
  }

  say(bold, rest = '') {
    const strong = document.createElement(rest ? 'b' : 'span');
    strong.textContent = bold;
    this.told.replaceChildren(strong, rest);
  }

  pick(channel) {
    this.select(channel);
    this.send({ channel });
  }

  select(channel) {
    const place = this.head.order.indexOf(channel), { height, width } = this.head;
    for (const { mark } of this.sheets) {
      mark.hidden = place < 0;
      Object.assign(mark.style, { left: `${(place % this.columns) * (width + GAP) * this.times - 2}px`, top: `${Math.floor(place / this.columns) * (height + GAP) * this.times - 2}px`,
        width: `${width * this.times + 4}px`, height: `${height * this.times + 4}px` });
    }
    this.chosen = channel;
  }

  pressed(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); return this.pick(this.chosen ?? this.head.order[0]); }
    if (by === undefined) return undefined;
    event.preventDefault();
    const { order } = this.head, next = Math.max(0, order.indexOf(this.chosen)) + by;
    if (order[next] !== undefined) { this.select(order[next]); this.say(`channel ${order[next]}`, ' · Enter chooses it'); }
    return undefined;
  }

  resized() {
    if (this.head && this.root.clientWidth && Math.abs(this.root.clientWidth - this.room) > 4) this.build();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.sheet');
  root._sheet ??= new Sheet(root);
  root._sheet.receive(data, (value) => setTriggerValue('pick', value));
  return () => { if (!root.isConnected) { root._sheet?.sizes.disconnect(); delete root._sheet; } };
}
