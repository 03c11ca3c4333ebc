// Continues unrolled_parts.js: the two are joined into one module.

class Unrolled {
  constructor(root) {
    this.root = root;
    this.choice = new Choice();
    this.heads = {};
    this.head = make('div', 'head');
    this.count = make('span', 'count');
    this.which = make('span', 'which');
    this.which.setAttribute('aria-live', 'polite');
    this.head.append(this.count, this.which);
    this.pictures = make('div', 'pictures');
    this.equation = make('div', 'equation');
    root.append(this.head, this.pictures, this.equation);
    const lights = (event) => event.target.closest('.lights, .term')?.paths ?? null;
    root.addEventListener('pointerover', (event) => this.light(lights(event)));
    root.addEventListener('pointerleave', () => this.light(null));
    root.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && this.light(lights(event)));
    root.addEventListener('focusout', () => this.light(null));
    root.addEventListener('click', (event) => this.toggle(event.target.closest('.block')));
    root.addEventListener('keydown', (event) => this.pressed(event));
    this.sizes = new ResizeObserver(() => this.data && this.render());
    this.sizes.observe(root);
    this.deafen = listen(POINT, this, (at) => this.pointed(at));
  }

  get lights() { return this.data?.lights; }

  destroy() {
    this.sizes.disconnect();
    this.deafen();
  }

  receive(data, send) {
    this.data = data;
    this.send = send;
    this.off = new Set(this.choice.or(data.off));
    this.render();
  }

  render() {
    const width = this.root.clientWidth;
    if (!width) return;
    const { name, terms, plain, folded: isFolded, blocks, colour } = this.data;
    const key = JSON.stringify([width, name, terms, plain, isFolded, blocks, colour]);
    if (key !== this.key) {
      this.key = key;
      this.build(width);
    }
    this.mark();
  }

  build(width) {
    const { labels, terms, plain, folded: isFolded, colour, plainColour } = this.data;
    const narrow = width < NARROW_TREE, n = labels.length;
    this.n = n;
    this.paths = allPaths(n, plain);
    Object.assign(this, { lit: null, only: null, note: undefined });
    this.root.style.setProperty('--c', colour);
    this.root.style.setProperty('--plain', plainColour);
    const wide = narrow ? width : Math.round(width * 0.66); // of the tree; the lengths have the rest
    const tree = this.tree(wide, narrow);
    const bars = this.histogram(narrow ? width : width - wide - GAP, narrow ? 210 : Math.max(Number(tree.getAttribute('height')) - PLAIN_ROW * !plain, 230));
    this.pictures.replaceChildren(tree, bars);
    this.pictures.classList.toggle('narrow', narrow);
    const whole = isFolded ? folded(terms, this.paths, n)
      : [make('span', 'join', `x${below(n)} = `), ...written(terms, this.paths, n, 0, n)];
    this.equation.replaceChildren(...whole);
    this.equation.classList.toggle('long', !isFolded && n > 4);
    this.groups = ['.block', '.leaf-row', '.bar'].map((one) => [...this.root.querySelectorAll(one)]);
    for (const group of this.groups) group.forEach((item, i) => item.setAttribute('tabindex', i ? -1 : 0));
  }

  // ---- the tree ----

  tree(width, narrow) {
    const { labels, name, plain } = this.data, n = this.n, pitch = plain ? 150 / this.paths.length : PITCH[n];
    const left = 30, right = narrow ? 26 : 92, column = (width - left - right) / n;
    const foot = TREE_HEAD + this.paths.length * pitch, height = foot + 8 + (plain ? 0 : PLAIN_ROW);
    const svg = draw('svg', { class: 'tree', width, height, role: 'group', 'aria-label': `${name} unrolled: ${this.paths.length} paths through ${n} blocks` });
    const x = (d) => left + d * column;
    const y = (d, prefix) => (plain ? TREE_HEAD + 75 : TREE_HEAD + (prefix + 0.5) * 2 ** (n - d) * pitch);
    const edges = draw('g', {}), tags = draw('g', {}), leaves = draw('g', { role: 'group', 'aria-label': 'paths' });
    for (let d = 0; d < n; d += 1) {
      for (let prefix = 0; prefix < 2 ** d; prefix += 1) {
        for (const bit of [0, 1]) {
          const to = 2 * prefix + bit, paths = this.paths.filter((path) => path >> (n - 1 - d) === to);
          if (!paths.length) continue;
          const [x0, y0, x1, y1] = [x(d), y(d, prefix), x(d + 1), y(d + 1, to)], mid = (x0 + x1) / 2;
          const edge = draw('g', { class: `edge lights ${bit ? 'through' : 'past'}` });
          const path = `M${x0} ${y0}C${mid} ${y0} ${mid} ${y1} ${x1} ${y1}`;
          edge.append(draw('path', { class: 'reach', d: path }), draw('path', { class: 'way', d: path }));
          edge.paths = paths;
          edges.append(edge);
          if (bit && pitch * 2 ** (n - d) >= 24) tags.append(this.tag(labels[d], mid + column * 0.12, y0 + (y1 - y0) * 0.68, paths));
        }
      }
    }
    for (const path of this.paths) leaves.append(this.leaf(path, x(n), y(n, path), pitch, right, narrow));
    svg.append(draw('text', { class: 'x0', x: left - 6, y: y(0, 0) + 5 }, 'x₀'), edges, tags, leaves, this.header(x, column));
    if (!plain) svg.append(this.plainRow(x, column, foot + 32, width, narrow));
    return svg;
  }

  header(x, column) {
    const g = draw('g', { role: 'group', 'aria-label': 'blocks: each can be switched off' });
    this.data.labels.forEach((label, b) => {
      const w = Math.min(column - 8, 92), left = x(b) + (column - w) / 2;
      const item = draw('g', { class: 'block lights', role: 'switch' });
      item.dataset.block = b;
      item.paths = this.paths.filter((path) => path & bitOf(b, this.n));
      item.append(draw('rect', { class: 'box', x: left, y: 4, width: w, height: 32, rx: 4 }), draw('text', { x: left + w / 2, y: 25.5 }, label),
        draw('path', { class: 'cross', d: `M${left + 5} 9L${left + w - 5} 31M${left + w - 5} 9L${left + 5} 31` }));
      g.append(item);
    });
    return g;
  }

  tag(label, x, y, paths) {
    const g = draw('g', { class: 'tag lights' });
    g.paths = paths;
    g.append(draw('rect', { x: x - 13, y: y - 9, width: 26, height: 18, rx: 3.5 }), draw('text', { x, y: y + 4.5 }, label));
    return g;
  }

  leaf(path, x, y, pitch, right, narrow) {
    const k = lengthOf(path), tall = Math.min(pitch, 40);
    const g = draw('g', { class: 'leaf-row lights', role: 'img', 'aria-label': this.words([path]) });
    g.paths = [path];
    g.append(draw('rect', { class: 'reach', x: x - 4, y: y - tall / 2, width: right + 2, height: tall }),
      draw('circle', { class: 'end', cx: x, cy: y, r: Math.min(3.5, pitch / 3) }));
    if (pitch >= 12) g.append(draw('text', { x: x + 9, y: y + 4.5 }, narrow || pitch < 20 ? `${k}` : `${k} branch${k === 1 ? '' : 'es'}`));
    return g;
  }

  // The same blocks in a row, without shortcuts.
  plainRow(x, column, y, width, narrow) {
    const g = draw('g', { class: 'plain' }), n = this.n;
    g.append(draw('path', { class: 'rule', d: `M0 ${y - 26}H${width}` }), draw('text', { class: 'x0', x: x(0) - 6, y: y + 5 }, 'x₀'));
    this.data.labels.forEach((label, b) => {
      const piece = draw('g', { class: 'piece' }), mid = x(b) + column / 2;
      piece.append(draw('path', { class: 'way', d: `M${x(b)} ${y}H${x(b + 1)}` }), draw('rect', { x: mid - 15, y: y - 11, width: 30, height: 22, rx: 3.5 }), draw('text', { x: mid, y: y + 4.5 }, label));
      g.append(piece);
    });
    const [end, low] = narrow ? [width, y + 26] : [x(n) + 9, y + 4.5]; // below the row where nothing fits beside it
    g.append(draw('text', { class: narrow ? 'verdict last' : 'verdict', x: end, y: low }));
    return g;
  }

  // ---- lengths ----

  histogram(width, height) {
    const n = this.n, most = Math.max(...this.ks().map((k) => this.ofLength(k).length));
    const svg = draw('svg', { class: 'lengths', width, height, role: 'group', 'aria-label': 'number of paths by length' });
    const left = 6, top = 48, foot = height - 46, pitch = (width - left - 6) / (n + 1);
    svg.append(draw('text', { class: 'title', x: left, y: 18 }, 'paths of each length'), draw('path', { class: 'base', d: `M${left} ${foot + 0.5}H${width - 6}` }),
      draw('text', { class: 'axis', x: left + (width - left) / 2, y: height - 6 }, 'residual branches on the path'));
    for (const k of this.ks()) {
      const paths = this.ofLength(k), tall = (paths.length / most) * (foot - top), x = left + k * pitch + pitch * 0.1, w = pitch * 0.8;
      const g = draw('g', { class: 'bar lights', role: 'img' });
      g.paths = paths;
      const rect = (name) => draw('rect', { class: name, x, y: foot - tall, width: w, height: tall });
      g.append(draw('rect', { class: 'reach', x: left + k * pitch, y: top - 20, width: pitch, height: foot - top + 40 }), rect('all'), rect('alive'), rect('lit'),
        draw('text', { class: 'number', x: x + w / 2, y: foot - tall - 7 }), draw('text', { class: 'tick', x: x + w / 2, y: foot + 18 }, k));
      svg.append(g);
    }
    return svg;
  }

  ks() {
    return [...Array(this.n + 1).keys()];
  }

  ofLength(k) {
    return this.paths.filter((path) => lengthOf(path) === k);
  }

  // ---- what is off, what is lit ----

  mark() {
    const { labels, blocks, plain } = this.data, n = this.n;
    const gone = labels.reduce((sum, _, b) => sum + (this.off.has(b) ? bitOf(b, n) : 0), 0);
    const dead = (path) => (path & gone) !== 0, lit = this.lit && new Set(this.lit.filter((path) => !dead(path)));
    const shown = (paths) => Boolean(lit && paths.some((path) => lit.has(path)));
    const passed = lit?.size ? labels.map((_, b) => b).filter((b) => [...lit].every((path) => path & bitOf(b, n))) : [];
    this.root.classList.toggle('lighting', Boolean(lit));
    for (const item of this.root.querySelectorAll('.edge, .tag, .leaf-row, .term')) {
      item.classList.toggle('dead', item.paths.every(dead));
      item.classList.toggle('on', shown(item.paths));
    }
    for (const block of this.root.querySelectorAll('.block')) {
      const b = Number(block.dataset.block), isOff = this.off.has(b);
      block.classList.toggle('off', isOff);
      block.classList.toggle('on', passed.includes(b));
      block.setAttribute('aria-checked', String(!isOff));
      block.setAttribute('aria-label', `block ${b}, ${labels[b]}: ${isOff ? 'off' : 'on'}`);
    }
    for (const bar of this.root.querySelectorAll('.bar')) {
      const alive = bar.paths.filter((path) => !dead(path)), part = (some) => `scaleY(${bar.paths.length ? some.length / bar.paths.length : 0})`;
      bar.querySelector('.alive').style.transform = part(alive);
      bar.querySelector('.lit').style.transform = part(alive.filter((path) => lit?.has(path)));
      bar.querySelector('.number').textContent = bar.paths.length ? alive.length : '';
      bar.setAttribute('aria-label', `${alive.length} paths pass ${bar.querySelector('.tick').textContent} branches`);
    }
    this.root.querySelectorAll('.piece').forEach((piece, b) => piece.classList.toggle('off', this.off.has(b)));
    const verdict = this.root.querySelector('.verdict');
    if (verdict) verdict.textContent = gone ? 'none left' : 'one path';
    const left = this.paths.filter((path) => !dead(path)).length, cut = lengthOf(gone);
    const was = plain ? 'one path' : `${power(n)} = ${2 ** n} path${n ? 's' : ''}`;
    const now = plain ? 'none left' : `${power(n - cut)} = ${left} left`;
    this.count.replaceChildren(make('b', '', cut ? `${was} → ${now}` : was),
      ` through ${n === blocks ? 'all' : 'the first'} ${n === 1 ? 'block' : `${n} blocks`}${n < blocks ? ` of ${blocks}; the others are folded` : ''}`);
    this.which.textContent = lit ? this.words([...lit]) : this.note ?? 'Click a block to switch it off. Point at a path, a bar or a term.';
    this.tell(lit?.size ? { blocks: passed, parts: this.parts(lit) } : { blocks: null, parts: null });
  }

  // To the strips and the chart, once.
  tell(light) {
    const text = JSON.stringify(light);
    if (text === this.told) return;
    this.told = text;
    say(LIGHT, this.lights, light);
  }

  // The lit paths of each length, in percent of all paths of the whole net: each goes on through the blocks not drawn.
  parts(lit) {
    const { blocks, plain } = this.data, n = this.n, rest = this.rest();
    const parts = Array(blocks + 1).fill(0), all = 100 * 2 ** (plain ? 0 : rest - blocks);
    const further = plain ? [...Array(rest).fill(0), 1] : (this.heads[rest] ??= heads(rest));
    for (const path of plain && this.off.size ? [] : lit) further.forEach((chance, k) => { parts[lengthOf(path) + k] += all * chance; });
    return this.only === null ? parts : parts.map((value, k) => (k === this.only ? value : 0));
  }

  // How many blocks are not drawn, and on.
  rest() {
    return this.data.blocks - this.n - [...this.off].filter((b) => b >= this.n).length;
  }

  words(paths) {
    if (paths.length !== 1) return paths.length ? `${paths.length} paths` : 'No path is left here.';
    const passed = this.data.labels.filter((_, b) => paths[0] & bitOf(b, this.n));
    const other = this.n - passed.length;
    return `One path: ${passed.length ? `through ${passed.join(', ')}` : 'through no branch'}${other ? `, past the other ${other === 1 ? 'block' : other}` : ''}`;
  }

  // `only`: of what these paths become beyond the tree, this length alone is meant. `note`: what is said if none is lit.
  light(paths, { only = null, note } = {}) {
    if (String([paths, only, note]) === String([this.lit, this.only, this.note])) return;
    Object.assign(this, { lit: paths, only, note });
    this.mark();
  }

  // Something outside points at a block, or at a length of path; or at nothing any more.
  pointed({ block = null, length = null }) {
    const { n } = this;
    if (length !== null) {
      const leads = (path) => lengthOf(path) <= length && length <= lengthOf(path) + this.rest();
      return this.light(this.paths.filter(leads), { only: length });
    }
    if (block === null) return this.light(null);
    if (block < n) return this.light(this.paths.filter((path) => path & bitOf(block, n)));
    return this.light(null, { note: `F${below(block + 1)} is not drawn: every path of the tree goes on through it, and past it.` });
  }

  toggle(block) {
    if (!block) return;
    const b = Number(block.dataset.block);
    if (!this.off.delete(b)) this.off.add(b);
    const off = [...this.off].sort((one, other) => one - other);
    this.choice.made(off);
    this.mark();
    this.send('off', off);
  }

  pressed(event) {
    const group = this.groups.find((items) => items.includes(event.target));
    if (!group) return;
    const i = group.indexOf(event.target), last = group.length - 1;
    const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      const next = group[Math.min(Math.max(to, 0), last)];
      for (const item of group) item.setAttribute('tabindex', item === next ? 0 : -1);
      next.focus();
    } else if (event.key === 'Enter' || event.key === ' ') this.toggle(event.target.closest('.block'));
    else if (event.key === 'Escape') this.light(null);
    else return;
    event.preventDefault();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.unrolled');
  root._unrolled ??= new Unrolled(root);
  root._unrolled.receive(data, setTriggerValue);
  return () => { if (!root.isConnected) root._unrolled?.destroy(); };
}
