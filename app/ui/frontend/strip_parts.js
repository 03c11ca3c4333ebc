// Nets drawn as their blocks. Geometry is computed for the width at hand, in real pixels, so that letters keep their size.

const FOLD_FROM = 61; // a net of so many blocks is folded
const ARC = 15, BOX = 24, LABEL = 19; // heights of a line's parts
const NARROW = 640;
const TINTS = ['11%', '23%', '38%', '52%'];
const PATIENCE = 4000; // how long a reported choice outranks an older one from the server
const FOLD_WIDTH = 58, LEAST = 12; // pixels

// What stands in a row, stage by stage: blocks, and folds in place of the many that look alike.
export function cells(row, open, keep) {
  const stages = row.stages.map(() => []);
  row.blocks.forEach((kind, index) => stages[row.kinds[kind].stage].push({ index, kind: row.kinds[kind] }));
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
