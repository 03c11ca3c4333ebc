// The step slider. It moves at once under the hand, and reports when the hand comes to rest. Continues choice.js.

import { follow } from './feed.js';

const GAP = 13; // pixels between neighbouring moments, at least
const SETTLE = 250; // milliseconds without a key before a key's move is reported

const make = (name, parent, tag = 'div') => {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
};
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const many = (n) => n.toLocaleString('en');

// The places, in pixels, of steps on a track: linear, with the anchors pushed apart to at least `gap`.
export function scale(anchors, total, width, gap = GAP) {
  const steps = [...new Set([0, ...anchors, total])].sort((a, b) => a - b);
  const least = Math.min(gap, (0.6 * width) / steps.length);
  const places = steps.map((step) => (step / total) * width);
  for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i], places[i - 1] + least);
  places[places.length - 1] = width;
  for (let i = places.length - 2; i > 0; i--) places[i] = Math.min(places[i], places[i + 1] - least);
  const between = (value, from, to) => {
    let i = 1;
    while (i < from.length - 1 && value > from[i]) i++;
    return to[i - 1] + ((value - from[i - 1]) / (from[i] - from[i - 1] || 1)) * (to[i] - to[i - 1]);
  };
  return { x: (step) => between(step, steps, places), step: (x) => Math.round(between(x, places, steps)) };
}

class Slider {
  constructor(root) {
    this.root = root;
    this.choice = new Choice();
    this.name = make('name', root, 'span');
    this.track = make('track', root);
    this.rail = make('rail', this.track);
    this.fill = make('fill', this.track);
    this.done = make('done', this.track);
    this.marks = make('marks', this.track);
    this.thumb = make('thumb', this.track);
    this.value = make('value', root, 'span');
    this.live = make('live', root, 'button');
    this.live.type = 'button';
    make('', this.live, 'i');
    this.liveText = make('', this.live, 'span');
    this.track.tabIndex = 0;
    this.track.setAttribute('role', 'slider');
    this.track.setAttribute('aria-orientation', 'horizontal');
    this.track.addEventListener('pointerdown', (event) => this.grabbed(event));
    this.track.addEventListener('pointermove', (event) => this.held && this.moved(this.under(event)));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) this.track.addEventListener(end, () => this.released());
    this.track.addEventListener('keydown', (event) => this.pressed(event));
    this.live.addEventListener('click', () => { this.moved(null); this.report(); });
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(root);
  }

  receive(data, send) {
    this.data = data;
    this.send = send;
    follow(this, data.feed, (fed) => this.made(fed), (shape) => this.send('changed', shape));
    if (this.held || this.timer) return this.draw(); // the hand outranks the server
    this.step = this.choice.or(data.step);
    this.draw();
  }

  // Steps made, and moments kept, since the page was drawn.
  made(since) {
    this.data = { ...this.data, ...since };
    this.draw();
  }

  end() {
    this.sizes.disconnect();
    this.unfollow?.();
  }

  get at() { return this.step ?? this.data.newest; }

  under(event) {
    const box = this.track.getBoundingClientRect();
    return this.snapped(this.scale.step(clamp(event.clientX - box.left, 0, box.width)));
  }

  snapped(step) {
    const { snap, moments, newest } = this.data;
    if (!snap) return clamp(step, 0, newest);
    const x = this.scale.x(step);
    return moments.reduce((best, moment) => (Math.abs(this.scale.x(moment) - x) < Math.abs(this.scale.x(best) - x) ? moment : best), moments[0]);
  }

  grabbed(event) {
    if (event.button) return;
    event.preventDefault();
    this.track.focus({ preventScroll: true });
    this.track.setPointerCapture(event.pointerId);
    this.held = true;
    this.moved(this.under(event));
  }

  moved(step) {
    this.step = step;
    this.draw();
  }

  released() {
    if (!this.held) return;
    this.held = false;
    this.report();
  }

  pressed(event) {
    const { snap, moments, newest, epoch, total } = this.data;
    const far = epoch || Math.max(1, Math.round(total / 10));
    const next = (way) => (way > 0 ? moments.find((m) => m > this.at) : moments.findLast((m) => m < this.at)) ?? this.at;
    const by = (way, amount) => (snap ? next(way) : clamp(this.at + way * amount, 0, newest));
    const leap = (way) => { // to the next epoch's end, whatever the step
      const edge = way > 0 ? (Math.floor(this.at / far) + 1) * far : (Math.ceil(this.at / far) - 1) * far;
      return this.snapped(clamp(edge, 0, newest));
    };
    const wanted = { ArrowRight: () => by(1, event.shiftKey ? 10 : 1), ArrowUp: () => by(1, 1), ArrowLeft: () => by(-1, event.shiftKey ? 10 : 1),
      ArrowDown: () => by(-1, 1), PageUp: () => leap(1), PageDown: () => leap(-1),
      Home: () => (snap ? moments[0] : 0), End: () => (snap && !this.data.live ? moments.at(-1) : null) }[event.key];
    if (!wanted) return;
    event.preventDefault();
    this.moved(wanted());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.report(), SETTLE);
  }

  report() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.step === this.data.step && !this.choice.waits) return;
    this.choice.made(this.step);
    this.send('step', { at: this.step });
  }

  draw() {
    const { newest, total, moments, epoch, snap, live, label } = this.data ?? {};
    const width = this.track.clientWidth;
    if (!this.data || !width) return;
    this.scale = scale(moments, total, width);
    const following = this.step === null, at = this.at;
    this.root.classList.toggle('narrow', this.root.clientWidth < 620);
    this.root.classList.toggle('following', following && live);
    this.root.classList.toggle('snap', snap);
    this.root.classList.toggle('dense', moments.length * 11 > width);
    this.name.textContent = label;
    this.fill.style.width = `${this.scale.x(newest) + 8}px`;
    this.done.style.width = `${this.scale.x(at) + 4}px`;
    this.thumb.style.left = `${this.scale.x(at)}px`;
    this.ruled(width, moments, epoch, total);
    const where = epoch ? `epoch ${Math.max(1, Math.ceil(at / epoch))}` : '';
    const end = !live && at === total ? 'end of training' : where;
    this.value.replaceChildren(Object.assign(document.createElement('b'), { textContent: many(at) }), ` of ${many(total)}${end ? ` · ${end}` : ''}`);
    this.live.hidden = !live;
    this.live.disabled = following;
    this.live.classList.toggle('on', following);
    this.liveText.textContent = following ? 'live' : 'back to live';
    const aria = { label: `${label} of training`, valuemin: 0, valuemax: newest, valuenow: at,
      valuetext: `${label} ${at} of ${total}${end ? `, ${end}` : ''}${following && live ? ', following the newest' : ''}` };
    for (const [name, value] of Object.entries(aria)) this.track.setAttribute(`aria-${name}`, value);
  }

  // Epochs as ticks, kept moments as dots, and numbers under both where there is room.
  ruled(width, moments, epoch, total) {
    const rule = JSON.stringify([width, moments, epoch, total]);
    if (rule === this.rule) return;
    this.rule = rule;
    const parts = [];
    const put = (name, step, text = '') => {
      const mark = Object.assign(document.createElement('span'), { className: name, textContent: text });
      mark.style.left = `${this.scale.x(step)}px`;
      parts.push(mark);
    };
    const epochs = epoch ? Math.floor(total / epoch) : 0, every = Math.max(1, Math.ceil(epochs / Math.max(1, width / 9)));
    for (let i = every; i <= epochs; i += every) put('tick', i * epoch);
    for (const moment of moments) put('moment', moment);
    let free = -99;
    const numbered = [...new Set([0, ...moments, ...Array.from({ length: epochs }, (_, i) => (i + 1) * epoch), total])].sort((a, b) => a - b);
    const room = (step) => many(step).length * 3.6 + 4, edge = this.scale.x(total) - room(total);
    for (const step of numbered) {
      const x = this.scale.x(step);
      if (x - room(step) < free || (step !== total && x + room(step) > edge)) continue;
      put('number', step, many(step));
      free = x + room(step);
    }
    this.marks.replaceChildren(...parts);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.step-slider');
  root._slider ??= new Slider(root);
  root._slider.receive(data, setTriggerValue);
  return () => { if (!root.isConnected) root._slider?.end(); };
}
