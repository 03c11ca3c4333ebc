// The items of a strip, which a hand or a key can reach: blocks, folds, stems and heads, row by row.

/** The place of an item: its row, and where it stands there. */
export type Focus = [row: number, place: number];

export const valueOf = (item: SVGGElement): string => item.dataset.value ?? '';
export const rowOf = (item: SVGGElement): number => Number(item.dataset.row);

export const itemAt = (event: Event): SVGGElement | null =>
  event.target instanceof Element ? event.target.closest<SVGGElement>('.item') : null;

/** The layer of a block under the pointer: a second click on a chosen block goes one level down. */
export function partAt(item: SVGGElement, x: number): string | undefined {
  const parts = [...item.querySelectorAll<SVGElement>('.part')];
  const box = item.querySelector('.box')?.getBoundingClientRect();
  const nth = box ? Math.floor(((x - box.left) / box.width) * parts.length) : 0;
  return parts[Math.min(Math.max(nth, 0), parts.length - 1)]?.dataset.layer;
}

/** Where an arrow key leads from the item at (r, i). */
export function beside(items: SVGGElement[][], key: string, r: number, i: number): Focus | undefined {
  const last = (row: number): number => (items[row]?.length ?? 1) - 1;
  const below = Math.min(r + 1, items.length - 1);
  const above = Math.max(r - 1, 0);
  const places: Record<string, Focus> = {
    ArrowRight: [r, Math.min(i + 1, last(r))],
    ArrowLeft: [r, Math.max(i - 1, 0)],
    ArrowDown: [below, Math.min(i, last(below))],
    ArrowUp: [above, Math.min(i, last(above))],
    Home: [r, 0],
    End: [r, last(r)],
  };
  return places[key];
}

/** Above its item, within the strip. */
export function placeTip(root: HTMLElement, tip: HTMLElement, item: SVGGElement): void {
  const home = root.getBoundingClientRect();
  const box = item.getBoundingClientRect();
  const x = box.left + box.width / 2 - home.left - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(0, Math.min(x, home.width - tip.offsetWidth))}px`;
  tip.style.top = `${box.top - home.top - tip.offsetHeight - 6}px`;
}
