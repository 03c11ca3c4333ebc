// Continues strip_parts.js: the two are joined into one module.

class Strip {
  constructor(root) {
    this.root = root;
    this.open = new Map();
    this.choice = new Choice();
    this.lit = new Set();
    this.rows = make('div', 'rows');
    this.detail = make('div', 'detail');
    this.tip = make('div', 'tip');
    this.tip.hidden = true;
    this.detail.setAttribute('aria-live', 'polite');
    root.append(this.rows, this.detail, this.tip);
    this.rows.addEventListener('click', (event) => this.clicked(event));
    this.rows.addEventListener('keydown', (event) => this.pressed(event));
    this.rows.addEventListener('pointerover', (event) => event.pointerType !== 'touch' && this.pointed(event.target.closest('.item')));
    this.rows.addEventListener('pointerleave', () => this.pointed(null));
    this.rows.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && this.pointed(event.target.closest('.item')));
    this.rows.addEventListener('focusout', () => this.pointed(null));
    this.rows.addEventListener('pointerdown', (event) => this.grasped(event));
    this.rows.addEventListener('pointermove', (event) => this.dragged(event));
    for (const end of ['pointerup', 'pointercancel']) this.rows.addEventListener(end, (event) => this.dropped(event));
    this.sizes = new ResizeObserver(() => this.data && this.render());
    this.sizes.observe(root);
    this.deafen = [listen(LIGHT, this, ({ blocks }) => this.light(blocks)), listen(HINT, ALL, ({ at }) => this.hinted(at))];
  }

  get lights() { return this.data?.lights; }

  destroy() {
    this.sizes.disconnect();
    for (const stop of this.deafen) stop();
  }

  receive(data, send) {
    this.data = data;
    this.send = send;
    const { selected, cut, order } = this.choice.or({ selected: data.selected, cut: data.cut, order: data.order });
    this.selected = selected;
    this.cut = new Set(cut);
    this.order = order;
    this.render();
  }

  render() {
    const width = this.root.clientWidth;
    if (!width) return;
    const keep = new Set([...this.cut, ...this.order.filter((block, place) => block !== place), blockOf(this.selected)]);
    const shown = this.data.rows.map((row, r) => cells(row, this.open.get(r) ?? new Set(), row.blocks.length < FOLD_FROM ? new Set() : keep, r ? [] : this.order));
    const key = JSON.stringify([width, this.data.mode, this.data.rows, shown.map((stages) => stages.map((stage) => stage.map((cell) => cell.fold ?? -cell.index)))]);
    if (key !== this.key) {
      this.key = key;
      this.build(width, shown);
    }
    this.mark();
  }

  build(width, shown) {
    const held = this.rows.contains(this.rows.getRootNode().activeElement) ? this.focus : null;
    const narrow = width < NARROW;
    const longest = Math.max(...this.data.rows.map((row) => measured(this.root, row.name, '650 15px')));
    const left = narrow ? 2 : Math.min(Math.max(84, longest + 16), 210), stem = 26, end = 66;
    const lines = shown.map((stages) => (narrow ? stages.filter((line) => line.length) : [stages.flat()]));
    const room = width - left - stem - end - 2, all = lines.flat();
    const fits = Math.min(...all.map((line) => (room - folds(line) * FOLD_WIDTH) / Math.max(line.length - folds(line), 1)));
    const pitch = Math.min(Math.max(fits, LEAST), 96);
    const wide = left + stem + end + Math.max(room, ...all.map((line) => folds(line) * FOLD_WIDTH + (line.length - folds(line)) * pitch));
    this.rows.replaceChildren(...lines.map((row, r) => this.row(this.data.rows[r], r, row, { left, pitch, wide, narrow, stem })));
    this.items = [...this.rows.querySelectorAll('.row')].map((row) => [...row.querySelectorAll('.item')]);
    this.place(held ?? this.focus ?? [0, 0], Boolean(held));
  }

  // The label of a stage, or as much of it as the stage's blocks have room for.
  stageLabel(text, room) {
    return [text, text.split(',')[0], ''].find((label) => measured(this.root, label, '12.5px') <= room);
  }

  row(row, r, lines, at) {
    const head = at.narrow ? 22 : 0, height = ARC + BOX + LABEL;
    const svg = draw('svg', { class: 'row', width: at.wide, height: head + lines.length * height + (at.narrow ? 6 : 2), role: 'listbox',
      'aria-orientation': 'horizontal', 'aria-label': `${row.name}: ${row.blocks.length} blocks` });
    svg.style.setProperty('--c', row.colour);
    svg.append(draw('text', { class: 'name', x: at.narrow ? 2 : 0, y: at.narrow ? 15 : ARC + BOX / 2 + 5 }, fitted(this.root, row.name, at.narrow ? at.wide : at.left - 12, '650 15px')));
    let stage = -1;
    lines.forEach((line, l) => {
      const top = head + l * height + ARC, mid = top + BOX / 2, first = l === 0, last = l === lines.length - 1;
      let x = at.left + at.stem;
      const behind = draw('g', {}), front = draw('g', {});
      const length = folds(line) * FOLD_WIDTH + (line.length - folds(line)) * at.pitch;
      behind.append(draw('path', { class: 'trunk', d: `M${first ? at.left + 14 : x - 12} ${mid}H${x + length + (last ? 8 : 4)}` }));
      if (first) front.append(this.layerItem(row, r, 'stem.conv', row.stem, at.left + 3, top, 13));
      for (const cell of line) {
        const span = cell.fold ? FOLD_WIDTH : at.pitch, s = cell.fold ? cell.stage : cell.kind.stage;
        if (s !== stage) {
          stage = s;
          const folded = row.blocks.length >= FOLD_FROM && this.open.get(r)?.has(s);
          const own = line.filter((other) => (other.fold ? other.stage : other.kind.stage) === s);
          const room = last && s === row.stages.length - 1 ? 200 : folds(own) * FOLD_WIDTH + (own.length - folds(own)) * at.pitch - 3;
          const text = this.stageLabel(row.stages[s], room) + (folded ? ' · fold' : '');
          const label = draw('text', { class: folded ? 'stage fold' : 'stage', x: x + 3, y: top + BOX + 14 }, text);
          if (folded) label.dataset.fold = s, label.dataset.row = r;
          front.append(label);
        }
        if (cell.fold) front.append(this.foldItem(r, cell, x, top, span));
        else {
          if (cell.kind.shortcut) this.arc(behind, cell.kind, x, x + span, top, mid, at.pitch);
          front.append(this.blockItem(row, r, cell, x, top, span));
        }
        x += span;
      }
      if (last) front.append(this.layerItem(row, r, 'head.fc', row.head, x + 10, top, 0));
      svg.append(behind, front);
    });
    return svg;
  }

  arc(parent, kind, x0, x1, top, mid, pitch) {
    const peak = top - ARC + 4, lift = mid - (mid - peak) / 0.75;
    parent.append(draw('path', { class: kind.dotted ? 'arc dotted' : 'arc', d: `M${x0} ${mid}C${x0} ${lift} ${x1} ${lift} ${x1} ${mid}` }));
    if (pitch >= 22) parent.append(draw('circle', { class: 'add', cx: x1, cy: mid, r: 2.2 }));
    const side = Math.min(7, pitch * 0.42);
    if (kind.projected) parent.append(draw('rect', { class: 'projection', x: (x0 + x1 - side) / 2, y: peak - side / 2, width: side, height: side, rx: 1 }));
  }

  item(r, value, label) {
    const g = draw('g', { class: 'item', role: 'option', tabindex: -1, 'aria-selected': 'false', 'aria-label': label });
    g.dataset.row = r;
    g.dataset.value = value;
    return g;
  }

  blockItem(row, r, { index, kind }, x, top, span) {
    const gap = Math.min(Math.max(span * 0.2, 3), 7), w = span - gap, left = x + gap / 2, n = kind.layers.length;
    const g = this.item(r, `block:${index}`, this.words(row, index).join(', '));
    g.style.setProperty('--tint', TINTS[kind.stage] ?? TINTS.at(-1));
    g.append(draw('rect', { class: 'hit', x, y: top - ARC, width: span, height: ARC + BOX }),
      draw('rect', { class: 'box', x: left, y: top, width: w, height: BOX, rx: 3.5 }));
    kind.layers.forEach((layer, i) => {
      const part = draw('rect', { class: 'part', x: left + (w * i) / n + 2.5, y: top + BOX - 7.5, width: Math.max(w / n - 5, 2), height: 4, rx: 1.5 });
      part.dataset.layer = `blocks.${index}.${layer.tail}`;
      g.append(part);
      if (i && w >= 16) g.append(draw('path', { class: 'seam', d: `M${left + (w * i) / n} ${top + BOX - 6}v6` }));
    });
    if (this.data.mode === 'cut') {
      if (w >= 17) g.append(draw('text', { class: 'number', x: x + span / 2, y: top + BOX / 2 + 4 }, kind.halves && w >= 34 ? `${index} ↓` : index));
    }
    g.append(draw('path', { class: 'cross', d: `M${left + 3} ${top + 3}L${left + w - 3} ${top + BOX - 3}M${left + w - 3} ${top + 3}L${left + 3} ${top + BOX - 3}` }));
    return g;
  }

  layerItem(row, r, value, layer, x, top, width) {
    const g = this.item(r, value, this.layerWords(row, value).join(', '));
    g.style.setProperty('--tint', '4%');
    if (width) g.append(draw('rect', { class: 'hit', x: x - 3, y: top - ARC, width: width + 8, height: ARC + BOX }),
      draw('rect', { class: 'box', x, y: top + 3, width, height: BOX - 6, rx: 3 }));
    else g.append(draw('rect', { class: 'hit', x: x - 2, y: top - 6, width: 58, height: BOX + 12 }),
      draw('text', { class: 'end', x, y: top + BOX / 2 + 4.5 }, 'pool · fc'));
    return g;
  }

  foldItem(r, cell, x, top, span) {
    const g = this.item(r, `fold:${cell.stage}`, `${cell.fold} more blocks, folded: Enter shows them`);
    g.append(draw('rect', { class: 'more', x: x + 3, y: top, width: span - 6, height: BOX, rx: 3.5 }),
      draw('text', { class: 'more-text', x: x + span / 2, y: top + BOX / 2 + 4.5 }, `… ×${cell.fold}`));
    return g;
  }

  words(row, index) {
    const kind = row.kinds[row.blocks[index]];
    return [`block ${index}`, `stage ${kind.stage + 1}`, ...kind.layers.map((layer) => `${layer.tail}: ${layer.what}`), kind.shape,
      `${many(kind.params)} parameters`, ...(kind.shortcut ? [`shortcut: ${kind.shortcut}`] : []),
      ...(this.data.mode === 'cut' ? [...(kind.halves ? ['halves the resolution'] : []), (kind.whole ? '' : 'cut: ') + kind.without] : [])];
  }

  layerWords(row, value) {
    const layer = value === 'stem.conv' ? row.stem : row.head;
    return [value, layer.what, `${many(layer.params)} parameters`, ...(value === 'stem.conv' && row.pool ? [`then ${row.pool}`] : [])];
  }

  // ---- what is chosen ----

  mark() {
    const block = blockOf(this.selected);
    for (const item of this.items.flat()) {
      const value = item.dataset.value, chosen = value === this.selected || (block !== null && value === `block:${block}`);
      item.classList.toggle('selected', chosen);
      item.setAttribute('aria-selected', String(chosen));
      const own = blockOf(value) ?? -1;
      item.classList.toggle('cut', this.cut.has(own));
      const scale = this.cut.has(own) ? undefined : this.data.turned[own];
      item.classList.toggle('turned', scale !== undefined);
      item.style.setProperty('--scale', scale ?? 1);
      item.classList.toggle('moved', !Number(item.dataset.row) && this.order.length > 0 && own >= 0 && this.order[own] !== own);
      for (const part of item.querySelectorAll('.part')) part.classList.toggle('chosen', part.dataset.layer === this.selected);
    }
    this.shine();
    this.hinted(this.hint);
    this.describe(block);
  }

  // The layer or block that the pointer is on, in a chart.
  hinted(at) {
    this.hint = at;
    const block = blockOf(at);
    for (const item of this.items?.flat() ?? []) {
      item.classList.toggle('hinted', Boolean(at) && (item.dataset.value === at || (block !== null && blockOf(item.dataset.value) === block)));
      for (const part of item.querySelectorAll('.part')) part.classList.toggle('hinted', part.dataset.layer === at);
    }
  }

  light(blocks) {
    this.lit = new Set(blocks);
    this.shine();
  }

  // A lit block, or the fold that it is in.
  shine() {
    this.items?.forEach((row, r) => {
      const shown = new Set(row.map((item) => blockOf(item.dataset.value))), of = this.data.rows[r];
      const folded = new Set([...this.lit].filter((block) => !shown.has(block)).map((block) => `fold:${of.kinds[of.blocks[block]]?.stage}`));
      for (const item of row) item.classList.toggle('lit', this.lit.has(blockOf(item.dataset.value)) || folded.has(item.dataset.value));
    });
  }

  describe(block) {
    this.detail.hidden = !this.data.detail;
    const row = this.data.rows.find((one) => block === null || block < one.blocks.length);
    const parts = [];
    if (!this.selected || !row) {
      parts.push(make('span', '', this.data.mode === 'cut' ? `Click a block to take it out, again to put it back.${this.data.movable ? ' Drag it, or press Alt and an arrow key, to move it within its stage.' : ''}` : 'Click a block to follow it; then one of its layers.'));
    } else if (block === null) {
      const [name, ...rest] = this.layerWords(row, this.selected);
      parts.push(make('b', '', name), make('span', '', rest.join(' · ')));
    } else {
      const kind = row.kinds[row.blocks[block]];
      parts.push(make('b', '', `block ${block}`), make('span', '', `stage ${kind.stage + 1} · ${kind.shape}`));
      if (this.data.mode === 'cut') parts.push(make('span', '', `${kind.halves ? '↓ halves the resolution · ' : ''}${kind.whole ? '' : 'cut: '}${kind.without}`));
      else for (const layer of kind.layers) {
        const value = `blocks.${block}.${layer.tail}`, chip = make('button', '', `${layer.tail.replace('branch.', '').replace('shortcut.conv', 'projection')}  ${layer.what}`);
        chip.type = 'button';
        chip.dataset.value = value;
        chip.setAttribute('aria-pressed', String(value === this.selected));
        chip.addEventListener('click', () => this.choose(value === this.selected ? `block:${block}` : value));
        parts.push(chip);
      }
    }
    if (this.selected) {
      const clear = make('button', 'clear', 'clear');
      clear.type = 'button';
      clear.addEventListener('click', () => this.choose(null));
      parts.push(clear);
    }
    const said = parts.map((part) => part.textContent + (part.getAttribute('aria-pressed') ?? '')).join('|');
    if (said === this.said) return; // the same words: keep the buttons, and the focus on them
    const focused = this.detail.getRootNode().activeElement?.dataset?.value;
    this.said = said;
    this.detail.replaceChildren(...parts);
    if (focused) this.detail.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
  }

  choose(value) {
    this.selected = value;
    this.tell('select', { at: value });
  }

  tell(what, value) {
    this.choice.made({ selected: this.selected, cut: [...this.cut].sort((a, b) => a - b), order: this.order });
    this.render();
    this.send(what, value);
  }

  act(item, part) {
    const { value, row } = item.dataset;
    if (value.startsWith('fold:')) return this.toggleFold(Number(row), Number(value.slice(5)));
    const block = blockOf(value);
    if (this.data.mode === 'cut' && block !== null) {
      const of = this.data.rows[row];
      if (of.kinds[of.blocks[block]].whole) return this.pointed(item);
      if (!this.cut.delete(block)) this.cut.add(block);
      this.selected = `block:${block}`;
      this.tell('cut', [...this.cut].sort((a, b) => a - b));
    } else if (part && block !== null && blockOf(this.selected) === block) this.choose(part === this.selected ? value : part);
    else this.choose(value === this.selected ? null : value);
  }

  toggleFold(r, stage) {
    const open = this.open.get(r) ?? new Set();
    if (!open.delete(stage)) open.add(stage);
    this.open.set(r, open);
    this.render();
  }

  // ---- hand and keyboard ----

  clicked(event) {
    if (this.released) return (this.released = false); // the end of a drag is no click
    const { fold, row } = event.target.dataset ?? {};
    if (fold !== undefined) return this.toggleFold(Number(row), Number(fold));
    const item = event.target.closest('.item');
    if (!item) return;
    this.place([Number(item.dataset.row), this.items[item.dataset.row].indexOf(item)], false);
    // A second click on the selected block goes one level down, to the layer under the pointer.
    const parts = [...item.querySelectorAll('.part')], box = item.querySelector('.box')?.getBoundingClientRect();
    const nth = box && parts.length ? Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * parts.length), 0), parts.length - 1) : 0;
    this.act(item, parts[nth]?.dataset.layer);
    this.pointed(null);
  }

  pressed(event) {
    const item = event.target.closest('.item');
    if (!item) return;
    const r = Number(item.dataset.row), i = this.items[r].indexOf(item), last = this.items.length - 1;
    if (event.altKey && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      const other = this.items[r][i + (event.key === 'ArrowRight' ? 1 : -1)];
      event.preventDefault();
      return this.move(item, other);
    }
    const beside = (row) => [row, Math.min(i, this.items[row].length - 1)];
    const to = { ArrowRight: [r, Math.min(i + 1, this.items[r].length - 1)], ArrowLeft: [r, Math.max(i - 1, 0)],
      ArrowDown: beside(Math.min(r + 1, last)), ArrowUp: beside(Math.max(r - 1, 0)), Home: [r, 0], End: [r, this.items[r].length - 1] }[event.key];
    if (to) this.place(to, true);
    else if (event.key === 'Enter' || event.key === ' ') this.act(item);
    else if (event.key === 'Escape' && this.selected) this.choose(null);
    else return;
    event.preventDefault();
  }

  // ---- another order ----

  // Where in the first net's order a block stands; undefined for anything else.
  placeOf(item) {
    const block = item && Number(item.dataset.row) === 0 ? blockOf(item.dataset.value) : null;
    return block === null ? undefined : standing(this.data.rows[0], this.order).indexOf(block);
  }

  orderWith(item, other) {
    const row = this.data.rows[0];
    return this.data.movable ? moved(row, standing(row, this.order), this.placeOf(item), this.placeOf(other)) : null;
  }

  move(item, other) {
    const made = this.orderWith(item, other);
    if (!made) return;
    this.focus = [0, this.items[0].indexOf(other)];
    this.order = made.every((block, place) => block === place) ? [] : made;
    this.selected = item.dataset.value;
    this.tell('order', made);
  }

  grasped(event) {
    this.released = false;
    const item = event.target.closest('.item');
    this.held = event.button === 0 && this.data.movable && this.placeOf(item) !== undefined ? { item, x: event.clientX, far: false } : null;
  }

  dragged(event) {
    if (!this.held) return;
    const { item, x } = this.held;
    if (!this.held.far && Math.abs(event.clientX - x) < 6) return;
    if (!this.held.far) this.rows.setPointerCapture(event.pointerId);
    this.held.far = true;
    this.pointed(null);
    item.classList.add('held');
    item.setAttribute('transform', `translate(${event.clientX - x} -3)`);
    const under = this.items[0].find((other) => {
      const box = other !== item && other.querySelector('.hit')?.getBoundingClientRect();
      return box && event.clientX >= box.left && event.clientX < box.right && Math.abs(event.clientY - box.top - box.height / 2) < box.height;
    });
    this.held.over = this.orderWith(item, under) ? under : null;
    for (const other of this.items[0]) other.classList.toggle('over', other === this.held.over);
    this.rows.classList.toggle('nowhere', Boolean(under) && !this.held.over);
  }

  dropped(event) {
    const held = this.held;
    this.held = null;
    if (!held?.far) return;
    this.released = event.type === 'pointerup';
    held.item.removeAttribute('transform');
    this.rows.classList.remove('nowhere');
    for (const other of this.items[0]) other.classList.remove('held', 'over');
    if (held.over && event.type === 'pointerup') this.move(held.item, held.over);
  }

  place([r, i], take) {
    const row = this.items[Math.min(r, this.items.length - 1)] ?? [];
    const item = row[Math.min(i, row.length - 1)];
    for (const other of this.items.flat()) other.setAttribute('tabindex', other === item ? 0 : -1);
    this.focus = [r, i];
    if (take) item?.focus();
  }

  pointed(item) {
    say(POINT, this.lights, { block: item ? blockOf(item.dataset.value) : null });
    this.tip.hidden = !item || item.dataset.value.startsWith('fold:');
    if (this.tip.hidden) return;
    const row = this.data.rows[item.dataset.row], block = blockOf(item.dataset.value);
    const [name, ...rest] = block === null ? this.layerWords(row, item.dataset.value) : this.words(row, block);
    this.tip.replaceChildren(make('b', '', `${row.name} · ${name}`), ...rest.map((text) => make('span', '', text)));
    const home = this.root.getBoundingClientRect(), box = item.getBoundingClientRect();
    const x = box.left + box.width / 2 - home.left - this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.max(0, Math.min(x, home.width - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${box.top - home.top - this.tip.offsetHeight - 6}px`;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.strip');
  root._strip ??= new Strip(root);
  root._strip.receive(data, setTriggerValue);
  return () => { if (!root.isConnected) root._strip?.destroy(); };
}
