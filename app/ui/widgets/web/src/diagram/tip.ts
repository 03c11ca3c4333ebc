// What is said of the block or the layer that is pointed at.

import { make, many } from '../shared/index.js';
import { blockIn, boxIn } from './column.js';
import { read, type Box } from './plan.js';

export function showTip(root: HTMLElement, tip: HTMLElement, target: Element | null): void {
  const item = target?.closest<SVGGElement>('.item');
  tip.hidden = !item || (item.dataset.value ?? '').startsWith('fold:');
  if (!item || tip.hidden) return;
  const layer = target?.closest('.layer') ?? null;
  tip.replaceChildren(...lines(item, layer));
  const home = root.getBoundingClientRect();
  const seen = (boxIn(layer) && layer ? layer : item).getBoundingClientRect();
  const x = seen.left + seen.width / 2 - home.left - tip.offsetWidth / 2;
  const above = seen.top - home.top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(0, Math.min(x, home.width - tip.offsetWidth))}px`;
  tip.style.top = `${above >= 0 ? above : seen.bottom - home.top + 8}px`;
}

function lines(item: Element, layer: Element | null): HTMLElement[] {
  const block = blockIn(item);
  const box = boxIn(layer) ?? (block ? undefined : boxIn(item.querySelector('.layer')));
  if (!block) return box ? inFull(box, 'b') : [];
  const { index, kind } = block;
  const out = [make('b', '', `block ${index}, stage ${kind.stage + 1}`)];
  if (box) out.push(...inFull(box, 'i'));
  else for (const each of kind.boxes.filter((other) => other.layer)) out.push(...inShort(each));
  if (kind.shortcut) out.push(make('span', '', `shortcut: ${kind.shortcut}`));
  for (const { layer: name, params, macs } of kind.beside) {
    out.push(make('span', '', `${name}: ${many(params)} parameters, ${many(macs)} multiply-adds`));
  }
  return out;
}

function inFull(box: Box, tag: 'b' | 'i'): HTMLElement[] {
  const [name, ...rest] = read(box);
  return [make(tag, '', name), ...rest.map((text) => make('span', '', text))];
}

function inShort(box: Box): HTMLElement[] {
  const [name, , shape, params, macs] = read(box);
  return [make('i', '', name), make('span', '', shape), make('span', '', `${params}, ${macs}`)];
}
