// Nets drawn as their blocks. Geometry is computed for the width at hand, in real pixels, so that letters keep their size.

const FOLD_FROM = 61; // a net of so many blocks is folded
const ARC = 15, BOX = 24, LABEL = 19; // heights of a line's parts
const NARROW = 640;
const TINTS = ['11%', '23%', '38%', '52%'];
const FOLD_WIDTH = 58, LEAST = 12; // pixels

// The blocks of a row as they stand; `order` may be empty.
const standing = (row, order) => (order.length === row.blocks.length ? order : row.blocks.map((_, index) => index));

// A block taken from its place to another's: those between move up, those of other shapes stay.
export function moved(row, order, from, to) {
  const like = (block) => row.kinds[row.blocks[block]].kin;
  if (from === to || !(from in order && to in order) || like(order[from]) !== like(order[to])) return null;
  const places = [...order.keys()].filter((place) => like(order[place]) === like(order[from]));
  const blocks = places.map((place) => order[place]);
  blocks.splice(places.indexOf(to), 0, ...blocks.splice(places.indexOf(from), 1));
  const made = [...order];
  places.forEach((place, i) => { made[place] = blocks[i]; });
  return made;
}

// What stands in a row, stage by stage: blocks, and folds in place of the many that look alike.
export function cells(row, open, keep, order = []) {
  const stages = row.stages.map(() => []);
  for (const index of standing(row, order)) {
    const kind = row.kinds[row.blocks[index]];
    stages[kind.stage].push({ index, kind });
  }
  if (row.blocks.length < FOLD_FROM) return stages;
  return stages.map((stage, s) => {
    if (open.has(s) || stage.length <= 6) return stage;
    const out = [];
    stage.forEach((cell, i) => {
      if (i < 3 || i === stage.length - 1 || keep.has(cell.index)) out.push(cell);
      else if (out.at(-1).fold) out.at(-1).fold += 1;
      else out.push({ fold: 1, stage: s });
    });
    return out;
  });
}

const folds = (line) => line.filter((cell) => cell.fold).length;

const pen = document.createElement('canvas').getContext('2d');
const measured = (root, text, font) => {
  pen.font = `${font} ${getComputedStyle(root).fontFamily}`;
  return pen.measureText(text).width;
};

// As much of a text as there is room for.
const fitted = (root, text, room, font) => {
  let shown = text;
  while (shown.length > 3 && measured(root, shown, font) > room) shown = `${shown.slice(0, -2).trimEnd()}…`;
  return shown;
};
