// The line below a strip: what is chosen, in words, and the layers of a chosen block to choose from.

import { blockOf, focused, make } from '../shared/index.js';
import { kindOf, layerWords, type Kind, type Mode, type Row } from './net.js';

export interface Shown {
  rows: Row[];
  mode: Mode;
  movable: boolean;
  selected: string | null;
}

const CUT = 'Click a block to take it out, again to put it back.';
const MOVE = ' Drag it, or press Alt and an arrow key, to move it within its stage.';
const SELECT = 'Click a block to follow it; then one of its layers.';

export class Detail {
  private said: string | undefined;

  constructor(
    private readonly line: HTMLElement,
    private readonly choose: (value: string | null) => void,
  ) {
    line.setAttribute('aria-live', 'polite');
  }

  show(shown: Shown): void {
    const parts = this.parts(shown);
    if (shown.selected) {
      parts.push(this.button('clear', 'clear', null));
    }
    const said = parts.map((part) => part.textContent + (part.getAttribute('aria-pressed') ?? '')).join('|');
    if (said === this.said) return; // the same words: keep the buttons, and the focus on them
    const had = focused(this.line);
    const value = had instanceof HTMLElement ? had.dataset.value : undefined;
    this.said = said;
    this.line.replaceChildren(...parts);
    if (value) this.line.querySelector<HTMLElement>(`[data-value="${CSS.escape(value)}"]`)?.focus();
  }

  private parts({ rows, mode, movable, selected }: Shown): HTMLElement[] {
    const block = blockOf(selected);
    const row = rows.find((one) => block === null || block < one.blocks.length);
    if (!selected || !row) return [make('span', '', mode === 'cut' ? CUT + (movable ? MOVE : '') : SELECT)];
    if (block === null) {
      const [name, ...rest] = layerWords(row, selected);
      return [make('b', '', name), make('span', '', rest.join(' · '))];
    }
    const kind = kindOf(row, block);
    const what = [make('b', '', `block ${block}`), make('span', '', `stage ${kind.stage + 1} · ${kind.shape}`)];
    if (mode === 'select') return [...what, ...this.chips(kind, block, selected)];
    const halves = kind.halves ? '↓ halves the resolution · ' : '';
    return [...what, make('span', '', `${halves}${kind.whole ? '' : 'cut: '}${kind.without}`)];
  }

  private chips(kind: Kind, block: number, selected: string): HTMLElement[] {
    return kind.layers.map(({ tail, what }) => {
      const value = `blocks.${block}.${tail}`;
      const name = tail.replace('branch.', '').replace('shortcut.conv', 'projection');
      const chip = this.button('', `${name}  ${what}`, value === selected ? `block:${block}` : value);
      chip.dataset.value = value;
      chip.setAttribute('aria-pressed', String(value === selected));
      return chip;
    });
  }

  private button(name: string, text: string, value: string | null): HTMLButtonElement {
    const button = make('button', name, text);
    button.type = 'button';
    button.addEventListener('click', () => this.choose(value));
    return button;
  }
}
