// Where everything stands: bands of one resolution across all columns, boxes in them. Pixels at a zoom of 1.

const BOX = 25, STEP = 9, GAP = 19, FOLD = 34, BAND = 16; // heights: a box, between boxes, between blocks, a fold, above a band
const FOLD_ABOVE = 10; // a stage of more blocks is folded to the first three, the fold and the last
const NARROW = 480;
const TINTS = ['11%', '21%', '33%', '45%', '56%'];

const pen = document.createElement('canvas').getContext('2d');
const measured = (root, text, font) => {
  pen.font = `${font} ${getComputedStyle(root).fontFamily}`;
  return pen.measureText(text).width;
};

// A column's parts from top to bottom: single boxes, blocks, and folds in place of the many that look alike.
export function parts(column, open, keep) {
  const stages = [];
  column.blocks.forEach((kind, index) => {
    const s = column.kinds[kind].stage;
    (stages[s] ??= []).push({ index, kind: column.kinds[kind], band: column.kinds[kind].band, stage: s });
  });
  const folded = stages.flatMap((stage, s) => {
    if (stage.length <= FOLD_ABOVE) return stage;
    if (open.has(s)) return [...stage, { close: s, band: stage.at(-1).band, stage: s }];
    const out = [];
    stage.forEach((part, i) => {
      if (i < 3 || i === stage.length - 1 || part.index === keep) out.push(part);
      else if (out.at(-1).fold) out.at(-1).fold += 1;
      else out.push({ fold: 1, stage: s, band: part.band });
    });
    return out;
  });
  const single = (box) => ({ box, band: box.band });
  return [...column.before.map(single), ...folded, ...column.after.map(single)];
}

export const height = (part) => {
  if (part.fold || part.close !== undefined) return FOLD + GAP;
  const n = part.kind ? part.kind.boxes.length : 1;
  return n * BOX + (n - 1) * STEP + GAP;
};

// The top of every part, and of every band with its height.
export function placed(columns) {
  const sides = [...new Set(columns.flatMap((column) => column.map((part) => part.band)))].sort((a, b) => b - a);
  const bands = [];
  let top = 0;
  for (const side of sides) {
    let most = 0;
    for (const column of columns) {
      let y = top + BAND;
      for (const part of column.filter((one) => one.band === side)) { part.top = y; y += height(part); }
      most = Math.max(most, y - top);
    }
    bands.push({ side, top, height: most });
    top += most;
  }
  return { bands, height: top };
}
