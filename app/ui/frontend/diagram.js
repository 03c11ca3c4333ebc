// Continues diagram_parts.js: the two are joined into one module.

class Diagram {
  constructor(root) {
    this.root = root;
    this.open = new Map();
    this.zoom = 1;
    this.bar = make('div', 'bar');
    this.key = make('span', 'key');
    const buttons = make('span', 'buttons');
    this.bar.append(this.key, buttons);
    this.scroller = make('div', 'scroller');
    this.head = make('div', 'head');
    this.tip = make('div', 'tip');
    this.tip.hidden = true;
    for (const [text, words, act] of [['−', 'smaller', () => this.zoomTo(this.zoom / 1.25)], ['+', 'larger', () => this.zoomTo(this.zoom * 1.25)],
      ['whole net', 'the whole net at once', () => this.zoomTo(this.whole())], ['100 %', 'letters at full size', () => this.zoomTo(1)]]) {
      const button = make('button', '', text);
      button.type = 'button';
      button.setAttribute('aria-label', words);
      button.addEventListener('click', act);
      buttons.append(button);
    }
    root.append(this.bar, this.scroller, this.tip);
    this.scroller.addEventListener('click', (event) => this.clicked(event));
    this.scroller.addEventListener('keydown', (event) => this.pressed(event));
    this.scroller.addEventListener('wheel', (event) => { if (event.ctrlKey) { event.preventDefault(); this.zoomTo(this.zoom * 0.998 ** event.deltaY); } }, { passive: false });
    this.scroller.addEventListener('pointerover', (event) => event.pointerType !== 'touch' && this.pointed(event.target));
    this.scroller.addEventListener('pointerleave', () => this.pointed(null));
    this.scroller.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && this.pointed(event.target));
    this.scroller.addEventListener('focusout', () => this.pointed(null));
    this.scroller.addEventListener('scroll', () => this.pointed(null));
    this.sizes = new ResizeObserver(() => this.data && this.render());
    this.sizes.observe(root);
  }

  receive(data, send) {
    const names = (one) => one?.columns.map((column) => column.name + column.totals).join();
    if (names(this.data) !== names(data)) { this.open.clear(); this.scroller.scrollTop = 0; }
    this.data = data;
    this.send = send;
    this.chosen = data.chosen;
    this.render();
  }

  render() {
    const width = this.root.clientWidth - 12; // its scroll bar
    if (width <= 0) return;
    const keep = (c) => (this.chosen?.net === c ? blockOf(this.chosen.at) : null);
    const columns = this.data.columns.map((column, c) => parts(column, this.open.get(c) ?? new Set(), keep(c)));
    const key = JSON.stringify([width, this.data.columns, columns.map((column) => column.map((part) => part.fold ?? part.close ?? part.index))]);
    if (key !== this.drawn) {
      this.drawn = key;
      this.build(width, columns);
    }
    this.mark();
  }

  build(width, columns) {
    const held = this.scroller.contains(this.scroller.getRootNode().activeElement) ? this.focus : null;
    const narrow = width < NARROW, gutter = narrow ? 34 : 62, n = columns.length;
    const each = Math.min(Math.max((width - gutter) / n, narrow ? 108 : 150), 330);
    const arcs = narrow ? 22 : 40;
    const { bands, height: tall } = placed(columns);
    this.size = [gutter + each * n, tall + 4];
    const svg = draw('svg', { viewBox: `0 0 ${this.size.join(' ')}`, role: 'group', 'aria-label': 'The nets, layer by layer, from the image down' });
    for (const [i, band] of bands.entries()) {
      if (i) svg.append(draw('path', { class: 'rule', d: `M0 ${band.top + 1}H${this.size[0]}` }));
      const label = draw('text', { class: 'side', x: 0, y: band.top + BAND + 17 }, narrow ? `${band.side}` : `${band.side}×${band.side}`);
      svg.append(label);
    }
    this.items = columns.map((column, c) => this.column(svg, column, c, { left: gutter + c * each, wide: each - arcs - 6, narrow, arcs }));
    this.svg = svg;
    this.heading(gutter, each, narrow);
    this.scroller.replaceChildren(this.head, svg);
    this.key.textContent = narrow ? 'Left: side of the maps. Dotted arcs: dimensions change.' : 'Left: the side of the maps. Arcs: solid, the identity; dotted, dimensions change.';
    this.resize();
    this.place(held ?? this.focus ?? [0, 0], Boolean(held));
  }

  heading(gutter, each, narrow) {
    this.head.replaceChildren(make('span', 'gutter'), ...this.data.columns.map((column) => {
      const cell = make('div', 'title');
      cell.style.setProperty('--c', column.colour);
      const [layers, work] = column.totals, brief = work.replace(' multiply-adds', '').replace(' billion', ' G').replace(' million', ' M');
      cell.append(make('b', '', narrow ? column.name.replace('imagenet-', '') : column.name), make('span', '', narrow ? `${layers.split(' ')[0]} · ${brief}` : layers), make('span', '', narrow ? '' : work));
      cell.title = `${column.name}: ${column.totals.join(', ')}`;
      return cell;
    }));
    this.columns = [gutter, ...this.data.columns.map(() => each)];
  }

  resize() {
    this.svg.setAttribute('width', this.size[0] * this.zoom);
    this.svg.setAttribute('height', this.size[1] * this.zoom);
    this.head.style.gridTemplateColumns = this.columns.map((width) => `${width * this.zoom}px`).join(' ');
    this.head.style.width = `${this.size[0] * this.zoom}px`;
  }

  whole() { return Math.min(1, (this.scroller.clientHeight - this.head.offsetHeight - 4) / this.size[1]); }

  zoomTo(zoom) {
    const middle = (this.scroller.scrollTop + this.scroller.clientHeight / 2) / this.scroller.scrollHeight;
    this.zoom = Math.min(Math.max(zoom, 0.12), 3);
    this.resize();
    this.scroller.scrollTop = middle * this.scroller.scrollHeight - this.scroller.clientHeight / 2;
  }

  column(svg, column, c, at) {
    const g = draw('g', { class: 'column' }), behind = draw('g', {}), front = draw('g', {}), items = [];
    const { colour, totals, name } = this.data.columns[c], cx = at.left + at.wide / 2;
    g.style.setProperty('--c', colour);
    g.setAttribute('role', 'listbox');
    g.setAttribute('aria-orientation', 'vertical');
    g.setAttribute('aria-label', `${name}: ${totals.join(', ')}`);
    const ends = column.at(-1);
    behind.append(draw('path', { class: 'trunk', d: `M${cx} ${column[0].top}V${ends.top + height(ends) - GAP}` }));
    column.forEach((part) => {
      const item = part.fold || part.close !== undefined ? this.foldItem(part, at) : part.kind ? this.blockItem(part, at, behind, c) : this.boxItem(part, at);
      if (!item) return front.append(this.words(part.box, at.left, part.top, at));
      item.dataset.net = c;
      items.push(item);
      front.append(item);
    });
    g.append(behind, front);
    svg.append(g);
    return items;
  }

  item(value, label) {
    const g = draw('g', { class: 'item', role: 'option', tabindex: -1, 'aria-selected': 'false', 'aria-label': label });
    g.dataset.value = value;
    return g;
  }

  words(box, x, y, at, tint) {
    const g = draw('g', { class: box.layer ? 'layer' : 'pool' }), font = at.narrow ? 12 : 14;
    const fits = (text) => measured(this.root, text, `${font}px`) <= at.wide - 8;
    const text = fits(box.text) ? box.text : fits(box.short) ? box.short : box.short.split(',')[0];
    if (box.layer) g.append(draw('rect', { class: 'box', x, y, width: at.wide, height: BOX, rx: 3 }));
    else g.append(draw('rect', { class: 'blank', x: x + at.wide * 0.14, y: y + 3, width: at.wide * 0.72, height: BOX - 6 }));
    g.append(draw('text', { x: x + at.wide / 2, y: y + BOX / 2 + font * 0.35, 'font-size': font }, text));
    if (tint) g.style.setProperty('--tint', tint);
    g._box = box;
    return g;
  }

  boxItem(part, at) {
    if (!part.box.layer) return null;
    const g = this.item(part.box.layer, this.read(part.box).join(', '));
    g.append(this.words(part.box, at.left, part.top, at, '3%'));
    return g;
  }

  blockItem(part, at, behind, c) {
    const { kind, index, top } = part, n = kind.boxes.length, tall = n * BOX + (n - 1) * STEP;
    const said = [`block ${index}`, ...kind.boxes.map((box) => box.text), ...(kind.shortcut ? [`shortcut: ${kind.shortcut}`] : [])];
    const g = this.item(`block:${index}`, said.join(', '));
    g.append(draw('rect', { class: 'ring', x: at.left - 4, y: top - 4, width: at.wide + 8, height: tall + 8, rx: 5 }));
    kind.boxes.forEach((box, i) => g.append(this.words(box, at.left, top + i * (BOX + STEP), at, TINTS[kind.stage] ?? TINTS.at(-1))));
    g._part = part;
    if (!kind.arc) return g;
    const cx = at.left + at.wide / 2, right = at.left + at.wide, bulge = at.arcs * 1.08;
    const y0 = top - 6 + kind.enters * (BOX + STEP), y1 = top + tall + 6;
    const arc = draw('g', { class: 'way' });
    arc.append(draw('path', { class: `arc ${kind.arc}`, d: `M${cx} ${y0}H${right}C${right + bulge} ${y0} ${right + bulge} ${y1} ${right} ${y1}H${cx + 5}` }),
      draw('path', { class: 'tip-of-arc', d: `M${cx + 2} ${y1}l7 -3.4v6.8z` }));
    behind.append(arc);
    if (kind.mark) {
      const x = right + bulge * 0.75, y = (y0 + y1) / 2, side = at.narrow ? 14 : 23;
      g.append(draw('rect', { class: 'mark', x: x - side / 2, y: y - 8, width: side, height: 16, rx: 3 }),
        draw('text', { class: 'mark-text', x, y: y + 4, 'font-size': at.narrow ? 9 : 11 }, at.narrow && kind.mark === '1×1' ? '1' : kind.mark));
    }
    return g;
  }

  foldItem(part, at) {
    const closes = part.close !== undefined, text = closes ? 'fold' : `… ×${part.fold}`;
    const g = this.item(`fold:${part.stage}`, closes ? 'Fold this stage again' : `${part.fold} more blocks, folded: Enter shows them`);
    g.append(draw('rect', { class: 'more', x: at.left, y: part.top, width: at.wide, height: FOLD, rx: 4 }),
      draw('text', { class: 'more-text', x: at.left + at.wide / 2, y: part.top + FOLD / 2 + 5 }, text));
    return g;
  }

  read(box) {
    return [box.layer, box.text, box.shape, `${many(box.params)} parameters`, `${many(box.macs)} multiply-adds`];
  }

  // ---- what is chosen ----

  mark() {
    for (const item of this.items.flat()) {
      const { value, net } = item.dataset, block = blockOf(this.chosen?.at);
      const own = this.chosen?.net === Number(net) && (value === this.chosen.at || (block !== null && value === `block:${block}`));
      item.classList.toggle('selected', own);
      item.setAttribute('aria-selected', String(own));
    }
  }

  act(item) {
    const { value, net } = item.dataset, c = Number(net);
    if (value.startsWith('fold:')) {
      const open = this.open.get(c) ?? new Set(), stage = Number(value.slice(5));
      if (!open.delete(stage)) open.add(stage);
      this.open.set(c, open);
      return this.render();
    }
    this.chosen = { net: c, at: value };
    this.mark();
    this.send('choose', this.chosen);
  }

  // ---- hand and keyboard ----

  clicked(event) {
    const item = event.target.closest('.item');
    if (!item) return;
    const c = Number(item.dataset.net);
    this.place([c, this.items[c].indexOf(item)], false);
    this.act(item);
  }

  pressed(event) {
    const item = event.target.closest('.item');
    if (!item) return;
    const c = Number(item.dataset.net), i = this.items[c].indexOf(item), last = this.items[c].length - 1;
    const y = (one) => one.getBoundingClientRect().top;
    const beside = (to) => { // the part of the next column that stands nearest
      const column = this.items[Math.min(Math.max(to, 0), this.items.length - 1)], here = y(item);
      const nearest = column.reduce((best, one) => (Math.abs(y(one) - here) < Math.abs(y(best) - here) ? one : best));
      return [this.items.indexOf(column), column.indexOf(nearest)];
    };
    const to = { ArrowDown: () => [c, Math.min(i + 1, last)], ArrowUp: () => [c, Math.max(i - 1, 0)], ArrowRight: () => beside(c + 1),
      ArrowLeft: () => beside(c - 1), Home: () => [c, 0], End: () => [c, last] }[event.key];
    if (to) this.place(to(), true);
    else if (event.key === 'Enter' || event.key === ' ') this.act(item);
    else if (event.key === '+' || event.key === '-') this.zoomTo(this.zoom * (event.key === '+' ? 1.25 : 0.8));
    else return;
    event.preventDefault();
  }

  place([c, i], take) {
    const column = this.items[Math.min(c, this.items.length - 1)] ?? [], item = column[Math.min(i, column.length - 1)];
    for (const other of this.items.flat()) other.setAttribute('tabindex', other === item ? 0 : -1);
    this.focus = [c, i];
    if (!take || !item) return;
    item.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    item.focus({ preventScroll: true });
  }

  pointed(target) {
    const item = target?.closest('.item');
    this.tip.hidden = !item || item.dataset.value.startsWith('fold:');
    if (this.tip.hidden) return;
    const kind = item._part?.kind, box = target.closest('.layer')?._box ?? (kind ? null : item.querySelector('.layer')?._box);
    const lines = [];
    if (kind) lines.push(make('b', '', `block ${item._part.index}, stage ${kind.stage + 1}`));
    for (const one of box ? [box] : kind.boxes.filter((other) => other.layer)) {
      const [name, ...rest] = this.read(one);
      lines.push(make(kind ? 'i' : 'b', '', name), ...(box ? rest : [rest[1], rest.slice(2).join(', ')]).map((text) => make('span', '', text)));
    }
    if (kind?.shortcut) lines.push(make('span', '', `shortcut: ${kind.shortcut}`));
    for (const one of kind?.beside ?? []) lines.push(make('span', '', `${one.layer}: ${many(one.params)} parameters, ${many(one.macs)} multiply-adds`));
    this.tip.replaceChildren(...lines);
    const home = this.root.getBoundingClientRect(), seen = (box && target.closest('.layer') ? target.closest('.layer') : item).getBoundingClientRect();
    const x = seen.left + seen.width / 2 - home.left - this.tip.offsetWidth / 2, above = seen.top - home.top - this.tip.offsetHeight - 8;
    this.tip.style.left = `${Math.max(0, Math.min(x, home.width - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${above >= 0 ? above : seen.bottom - home.top + 8}px`;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.diagram');
  root._diagram ??= new Diagram(root);
  root._diagram.receive(data, setTriggerValue);
  return () => { if (!root.isConnected) root._diagram?.sizes.disconnect(); };
}
