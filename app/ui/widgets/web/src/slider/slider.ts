// The step slider. It moves at once under the hand, and reports when the hand comes to rest.

import {
  add,
  Choice,
  clamp,
  Following,
  instance,
  make,
  many,
  must,
  one,
  whenGone,
  type Given,
  type Send,
  type Told,
} from '../shared/index.js';
import { pressed, ruler, scale, snapped, type Scale, type Training } from './scale.js';

const SETTLE = 250; // milliseconds without a key before a key's move is reported
const NARROW = 620; // pixels

export interface SliderData extends Training {
  /** Where it stands; null: at the newest, whatever that is. */
  step: number | null;
  label: string;
  feed: Told | null;
}

export class Slider {
  private readonly choice = new Choice<number | null>();
  private readonly following = new Following();
  private readonly name: HTMLElement;
  private readonly track: HTMLElement;
  private readonly fill: HTMLElement;
  private readonly done: HTMLElement;
  private readonly marks: HTMLElement;
  private readonly thumb: HTMLElement;
  private readonly value: HTMLElement;
  private readonly live: HTMLButtonElement;
  private readonly liveText: HTMLElement;
  private readonly sizes = new ResizeObserver(() => this.draw());
  private data: SliderData | undefined;
  private scale: Scale = scale([], 1, 1);
  private step: number | null = null;
  private held = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private rule = '';
  private send: Send = () => undefined;

  constructor(private readonly root: HTMLElement) {
    root.replaceChildren();
    this.name = add(root, 'span', 'name');
    this.track = add(root, 'div', 'track');
    add(this.track, 'div', 'rail');
    this.fill = add(this.track, 'div', 'fill');
    this.done = add(this.track, 'div', 'done');
    this.marks = add(this.track, 'div', 'marks');
    this.thumb = add(this.track, 'div', 'thumb');
    this.value = add(root, 'span', 'value');
    this.live = Object.assign(add(root, 'button', 'live'), { type: 'button' as const });
    add(this.live, 'i');
    this.liveText = add(this.live, 'span');
    this.track.tabIndex = 0;
    this.track.setAttribute('role', 'slider');
    this.track.setAttribute('aria-orientation', 'horizontal');
    this.listen();
    this.sizes.observe(root);
  }

  private listen(): void {
    this.track.addEventListener('pointerdown', (event) => this.grabbed(event));
    this.track.addEventListener('pointermove', (event) => {
      if (this.held) this.moved(this.under(event));
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      this.track.addEventListener(end, () => this.released());
    }
    this.track.addEventListener('keydown', (event) => this.pressed(event));
    this.live.addEventListener('click', () => {
      this.moved(null);
      this.report();
    });
  }

  receive(data: SliderData, send: Send): void {
    this.data = data;
    this.send = send;
    this.following.follow<Partial<SliderData>>(
      data.feed,
      (fed) => this.made(fed),
      (shape) => this.send('changed', shape),
    );
    if (!this.held && !this.timer) this.step = this.choice.or(data.step); // the hand outranks the server
    this.draw();
  }

  end(): void {
    this.sizes.disconnect();
    this.following.end();
  }

  /** Steps made, and moments kept, since the page was drawn. */
  private made(since: Partial<SliderData>): void {
    this.data = { ...must(this.data), ...since };
    this.draw();
  }

  private get at(): number {
    return this.step ?? this.data?.newest ?? 0;
  }

  private under(event: PointerEvent): number {
    const box = this.track.getBoundingClientRect();
    return snapped(this.scale.step(clamp(event.clientX - box.left, 0, box.width)), must(this.data), this.scale);
  }

  private grabbed(event: PointerEvent): void {
    if (event.button) return;
    event.preventDefault();
    this.track.focus({ preventScroll: true });
    this.track.setPointerCapture(event.pointerId);
    this.held = true;
    this.moved(this.under(event));
  }

  private moved(step: number | null): void {
    this.step = step;
    this.draw();
  }

  private released(): void {
    if (!this.held) return;
    this.held = false;
    this.report();
  }

  private pressed(event: KeyboardEvent): void {
    const wanted = pressed(event.key, event.shiftKey, this.at, must(this.data), this.scale);
    if (wanted === undefined) return;
    event.preventDefault();
    this.moved(wanted);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.report(), SETTLE);
  }

  private report(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.step === this.data?.step && !this.choice.waits) return;
    this.choice.made(this.step);
    this.send('step', { at: this.step });
  }

  private draw(): void {
    const { data } = this;
    const width = this.track.clientWidth;
    if (!data || !width) return;
    this.scale = scale(data.moments, data.total, width);
    const following = this.step === null;
    this.root.classList.toggle('narrow', this.root.clientWidth < NARROW);
    this.root.classList.toggle('following', following && data.live);
    this.root.classList.toggle('snap', data.snap);
    this.root.classList.toggle('dense', data.moments.length * 11 > width);
    this.name.textContent = data.label;
    this.fill.style.width = `${this.scale.x(data.newest) + 8}px`;
    this.done.style.width = `${this.scale.x(this.at) + 4}px`;
    this.thumb.style.left = `${this.scale.x(this.at)}px`;
    this.ruled(data, width);
    this.live.hidden = !data.live;
    this.live.disabled = following;
    this.live.classList.toggle('on', following);
    this.liveText.textContent = following ? 'live' : 'back to live';
    this.say(data, following);
  }

  /** The step in words, for the eye and for a screen reader. */
  private say({ label, live, epoch, newest, total }: SliderData, following: boolean): void {
    const { at } = this;
    const where = epoch ? `epoch ${Math.max(1, Math.ceil(at / epoch))}` : '';
    const end = !live && at === total ? 'end of training' : where;
    this.value.replaceChildren(make('b', '', many(at)), ` of ${many(total)}${end ? ` · ${end}` : ''}`);
    const aria = {
      label: `${label} of training`,
      valuemin: 0,
      valuemax: newest,
      valuenow: at,
      valuetext: `${label} ${at} of ${total}${end ? `, ${end}` : ''}${following && live ? ', following the newest' : ''}`,
    };
    for (const [key, value] of Object.entries(aria)) this.track.setAttribute(`aria-${key}`, String(value));
  }

  private ruled(data: SliderData, width: number): void {
    const rule = JSON.stringify([width, data.moments, data.epoch, data.total]);
    if (rule === this.rule) return;
    this.rule = rule;
    const put = (name: string, step: number, text = ''): HTMLElement => {
      const mark = make('span', name, text);
      mark.style.left = `${this.scale.x(step)}px`;
      return mark;
    };
    const { ticks, numbers } = ruler(data, width, this.scale);
    this.marks.replaceChildren(
      ...ticks.map((step) => put('tick', step)),
      ...data.moments.map((step) => put('moment', step)),
      ...numbers.map((step) => put('number', step, many(step))),
    );
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<SliderData>): () => void {
  const root = one(parentElement, '.step-slider');
  instance(root, () => new Slider(root)).receive(data, setTriggerValue);
  return whenGone<Slider>(root, (slider) => slider.end());
}
