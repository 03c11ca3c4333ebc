// Steps and their places on a track, and what a key means there.

import { clamp, must } from '../shared/index.js';

const GAP = 13; // pixels between neighbouring moments, at least

export interface Scale {
  x: (step: number) => number;
  step: (x: number) => number;
}

/** What the slider is told of the training that it stands for. */
export interface Training {
  /** Steps that have a moment kept: where a slider that snaps may stand. */
  moments: number[];
  newest: number;
  total: number;
  /** Steps of an epoch; 0 where there is none. */
  epoch: number;
  snap: boolean;
  live: boolean;
}

function between(value: number, from: number[], to: number[]): number {
  let i = 1;
  while (i < from.length - 1 && value > must(from[i])) i++;
  const [a, b, c, d] = [from[i - 1] ?? 0, from[i] ?? 0, to[i - 1] ?? 0, to[i] ?? 0];
  return c + ((value - a) / (b - a || 1)) * (d - c);
}

/** The places, in pixels, of steps on a track: linear, with the anchors pushed apart to at least `gap`. */
export function scale(anchors: number[], total: number, width: number, gap = GAP): Scale {
  const steps = [...new Set([0, ...anchors, total])].sort((a, b) => a - b);
  const least = Math.min(gap, (0.6 * width) / steps.length);
  const places = steps.map((step) => (step / total) * width);
  for (let i = 1; i < places.length; i++) places[i] = Math.max(must(places[i]), must(places[i - 1]) + least);
  places[places.length - 1] = width;
  for (let i = places.length - 2; i > 0; i--) places[i] = Math.min(must(places[i]), must(places[i + 1]) - least);
  return { x: (step) => between(step, steps, places), step: (x) => Math.round(between(x, places, steps)) };
}

/** The step where a hand at `step` lets go: the nearest moment on the track, or where it is. */
export function snapped(step: number, { snap, moments, newest }: Training, { x }: Scale): number {
  if (!snap) return clamp(step, 0, newest);
  const far = (moment: number): number => Math.abs(x(moment) - x(step));
  return moments.reduce((best, moment) => (far(moment) < far(best) ? moment : best), moments[0] ?? 0);
}

/** Where a key takes the slider from `at`: null for live, undefined for no key of its own. */
export function pressed(
  key: string,
  shift: boolean,
  at: number,
  training: Training,
  places: Scale,
): number | null | undefined {
  const { snap, moments, newest, epoch, total, live } = training;
  const far = epoch || Math.max(1, Math.round(total / 10));
  const next = (way: number): number =>
    (way > 0 ? moments.find((moment) => moment > at) : moments.findLast((moment) => moment < at)) ?? at;
  const by = (way: number): number => (snap ? next(way) : clamp(at + way, 0, newest));
  const leap = (edge: number): number => snapped(clamp(edge * far, 0, newest), training, places); // to an epoch's end
  switch (key) {
    case 'ArrowRight':
      return by(shift ? 10 : 1);
    case 'ArrowLeft':
      return by(shift ? -10 : -1);
    case 'ArrowUp':
      return by(1);
    case 'ArrowDown':
      return by(-1);
    case 'PageUp':
      return leap(Math.floor(at / far) + 1);
    case 'PageDown':
      return leap(Math.ceil(at / far) - 1);
    case 'Home':
      return snap ? (moments[0] ?? 0) : 0;
    case 'End':
      return snap && !live ? (moments.at(-1) ?? null) : null;
    default:
      return undefined;
  }
}

/** What is written below the track: where epochs end, and the steps that there is room to name. */
export function ruler({ moments, epoch, total }: Training, width: number, { x }: Scale): Ruler {
  const epochs = epoch ? Math.floor(total / epoch) : 0;
  const every = Math.max(1, Math.ceil(epochs / Math.max(1, width / 9)));
  const ends = Array.from({ length: epochs }, (_, i) => (i + 1) * epoch);
  const room = (step: number): number => step.toLocaleString('en').length * 3.6 + 4;
  const edge = x(total) - room(total);
  const numbers: number[] = [];
  let free = -99;
  for (const step of [...new Set([0, ...moments, ...ends, total])].sort((a, b) => a - b)) {
    const place = x(step);
    if (place - room(step) < free || (step !== total && place + room(step) > edge)) continue;
    numbers.push(step);
    free = place + room(step);
  }
  return { ticks: ends.filter((_, i) => (i + 1) % every === 0), numbers };
}

export interface Ruler {
  ticks: number[];
  numbers: number[];
}
