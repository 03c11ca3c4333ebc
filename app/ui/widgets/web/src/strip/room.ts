// The room that a strip has, in real pixels, so that letters keep their size.

import { measured } from '../shared/index.js';
import { isFold, type Cell } from './net.js';

const NARROW = 640;
const LEAST = 12;
const MOST = 96;
const END = 66;

export const FOLD_WIDTH = 58;
export const STEM_WIDTH = 26;

/** Where the parts of a row stand. */
export interface Room {
  left: number;
  pitch: number;
  wide: number;
  narrow: boolean;
}

/** The width of some cells that stand side by side. */
export function widthOf(line: Cell[], pitch: number): number {
  const folded = line.filter(isFold).length;
  return folded * FOLD_WIDTH + (line.length - folded) * pitch;
}

/** The lines of each row (one, or where it is narrow one a stage), and the room for them. */
export function roomFor(width: number, longest: number, shown: Cell[][][]): { lines: Cell[][][]; room: Room } {
  const narrow = width < NARROW;
  const lines = shown.map((stages) => (narrow ? stages.filter((line) => line.length) : [stages.flat()]));
  const left = narrow ? 2 : Math.min(Math.max(84, longest + 16), 210);
  const space = width - left - STEM_WIDTH - END - 2;
  const all = lines.flat();
  const fits = all.map((line) => {
    const folded = line.filter(isFold).length;
    return (space - folded * FOLD_WIDTH) / Math.max(line.length - folded, 1);
  });
  const pitch = Math.min(Math.max(Math.min(...fits), LEAST), MOST);
  const wide = left + STEM_WIDTH + END + Math.max(space, ...all.map((line) => widthOf(line, pitch)));
  return { lines, room: { left, pitch, wide, narrow } };
}

/** As much of a text as there is room for. */
export function fitted(root: HTMLElement, text: string, room: number, font: string): string {
  let shown = text;
  while (shown.length > 3 && measured(root, shown, font) > room) shown = `${shown.slice(0, -2).trimEnd()}…`;
  return shown;
}
