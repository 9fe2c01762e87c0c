// The tree as SVG: one <g> a node, kept from frame to frame and touched only where something changed. Of a large tree only what is
// in sight stands in the page, and where that is too much still, it is painted (dots.js). Text from the log enters by textContent
// alone. Fate is told by shape as well as by colour.

const SVG = 'http://www.w3.org/2000/svg';
const BUNCH_ABOVE = 800;     // nodes; beyond, pruned leaves of one parent become one "+12"
const WHOLE_UP_TO = 400;     // nodes; beyond, only those stand in the page that are in sight, or nearly
const NEARLY = 160;          // px around the pane
const DOTS_ABOVE = 800;      // nodes in sight; beyond, they are painted as dots
const KEPT = 2000;           // nodes out of sight whose marks are kept for when they come back

const SHAPES = {
  disc: 'M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0',
  hollow: 'M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0',
  cross: 'M-5-5L5 5M-5 5L5-5',
  ring: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0',
  square: 'M-7-7h14v14h-14z',
  chosen: 'M-7-7h14v14h-14zM-10.5-10.5h21v21h-21z',
};
const TICK = 'M-3.5 0.2l2.6 2.8l4.6-5.6';

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  made.append(...children);
  return made;
}

function html(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mark(element, key, value) {
  if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value);
}

class Picture {
  constructor(pane, legend) {
    this.pane = pane;
    this.svg = pane.querySelector('svg');
    [this.bands, this.edges, this.links, this.ghosts, this.nodes] = this.svg.children;
    this.columns = new Columns();
    this.dots = new Dots(pane);
    this.drawn = new Map();   // node number -> what stands in the page for it
    this.stock = new Map();   // the same for nodes that are out of sight now and may come back
    this.bunches = new Map(); // parent number -> the glyph for its pruned leaves
    this.opened = new Set();  // parents whose bunch the reader opened
    this.hidden = new Set();  // nodes that stand in a bunch
    this.plain();
    this.legend = new Legend(legend);
  }

  clear() {
    for (const group of this.svg.children) group.replaceChildren();
    for (const kept of [this.drawn, this.stock, this.bunches, this.opened]) kept.clear();
    this.hidden = new Set();
    this.dots.clear();
    this.columns.measured = '';
  }

  // How large the picture is, so that its pane can be scrolled before anything is drawn. `ghosts` says whether it has any.
  size(whole, layout, ghosts) {
    this.columns.measure(whole);
    this.bunching = whole.nodes.length > BUNCH_ABOVE;
    this.partly = whole.nodes.length > WHOLE_UP_TO;
    this.width = Math.max(this.columns.width + (ghosts ? 190 : 0), 200);
    this.height = this.columns.height(layout);
    this.scale();
  }

  scale() {
    mark(this.svg, 'viewBox', `0 0 ${this.width} ${this.height}`);
    mark(this.svg, 'width', Math.round(this.width * this.zoom));
    mark(this.svg, 'height', Math.round(this.height * this.zoom));
  }

  spot(layout, node) {
    return this.columns.spot(layout, node);
  }

  // The pruned leaves that one glyph stands for, by their parent's number.
  bunched(state) {
    const families = new Map();
    if (!this.bunching) return families;
    for (const node of state.nodes) {
      if (node.pruned === null || node.kids.length || this.opened.has(node.parent.n)) continue;
      if (!families.has(node.parent.n)) families.set(node.parent.n, []);
      families.get(node.parent.n).push(node);
    }
    for (const [n, nodes] of families) if (nodes.length < 2) families.delete(n);
    return families;
  }

  // What lies between two corners is in sight, or nearly; of a small tree all is.
  window() {
    if (!this.partly) return () => true;
    const { pane, zoom } = this;
    const [left, top] = [(pane.scrollLeft - NEARLY) / zoom, (pane.scrollTop - NEARLY) / zoom];
    const [right, bottom] = [left + (pane.clientWidth + 2 * NEARLY) / zoom, top + (pane.clientHeight + 2 * NEARLY) / zoom];
    return ([x1, y1], [x2, y2]) => x1 <= right && x2 >= left && Math.min(y1, y2) <= bottom && Math.max(y1, y2) >= top;
  }

  // Draw `state`; `view` is what the reader chose: {cursor, drafts}. Call `size` first.
  draw(state, layout, whole, view) {
    const best = new Set(state.answer ? [0, ...pathTo(state.nodes[state.answer.n]).map((node) => node.n)] : []);
    const bunched = this.bunched(state);
    const inSight = this.window();
    this.hidden = new Set([...bunched.values()].flat());
    this.touched = touchedBy(state);
    this.told = whole.told.size > 0;
    const seen = state.nodes.filter((node) => !this.hidden.has(node)
      && inSight(this.spot(layout, node.parent ?? node), this.spot(layout, node)));
    const painted = this.partly && seen.length > DOTS_ABOVE;
    const shown = new Set(painted ? [] : seen);
    const chosen = state.nodes[view.cursor];
    if (chosen && !this.hidden.has(chosen)) shown.add(chosen);   // it may have the focus
    for (const n of this.drawn.keys()) if (!shown.has(state.nodes[n])) this.remove(n);
    for (const node of shown) this.node(state, layout, node, best, view);
    const glyphs = this.glyphs(layout, state, bunched, inSight);
    for (const [n, glyph] of this.bunches) {
      if (!painted && glyphs.has(n)) continue;
      glyph.group.remove();
      glyph.edge.remove();
      this.bunches.delete(n);
    }
    if (painted) this.dots.paint(seen.map((node) => this.dot(state, layout, node, best)), [...glyphs.values()], this.zoom);
    else {
      this.dots.clear();
      for (const [n, glyph] of glyphs) this.bunch(layout, state.nodes[n], glyph);
    }
    this.link(state, layout);
    this.band(state, layout);
    this.legend.explain(whole);
    this.drafts(state, layout, view.drafts);
  }

  // Where the bunches in sight stand, by their parent's number.
  glyphs(layout, state, bunched, inSight) {
    const found = new Map();
    for (const [n, nodes] of bunched) {
      const parent = state.nodes[n];
      const row = Math.min(...nodes.map((node) => layout.row(node)));
      const [x, y] = [this.columns.at[parent.depth + 1], this.columns.y(row)];
      if (inSight(this.spot(layout, parent), [x, y])) found.set(n, { x, y, count: nodes.length });
    }
    return found;
  }

  dot(state, layout, node, best) {
    const [x, y] = this.spot(layout, node);
    const from = node.parent ? this.spot(layout, node.parent) : null;
    return { node, x, y, from, fate: fateOf(state, node), bold: best.has(node.n) };
  }

  // The painted node under a point of the screen.
  nodeAt(x, y) {
    const box = this.svg.getBoundingClientRect();
    return this.dots.at((x - box.left) / this.zoom, (y - box.top) / this.zoom);
  }

  remove(n) {
    const made = this.drawn.get(n);
    if (!made) return;
    made.group.remove();
    made.edge?.remove();
    this.drawn.delete(n);
    if (this.stock.size >= KEPT) this.stock.clear();
    this.stock.set(n, made);
  }

  node(state, layout, node, best, view) {
    const [x, y] = this.spot(layout, node);
    const fate = fateOf(state, node);
    const grade = gradeOf(state, node);
    const score = node.failed ? 'none' : scoreText(node.score);
    const bold = best.has(node.n);
    const cursor = node.n === view.cursor;
    const touched = this.touched.has(node.n);
    const from = node.parent ? this.spot(layout, node.parent) : null;
    const under = this.told ? this.columns.under(node) : null;
    const { labels, longest } = this.columns;
    const flow = this.told ? flowOf(state, node).toFixed(3) : '0.000';
    const said = this.told ? JSON.stringify([under, factWords(node), flow]) : '';
    const signature = [x, y, fate, grade, score, bold, cursor, touched, labels, longest, from, said].join('|');
    let made = this.drawn.get(node.n);
    if (!made) {
      made = this.stock.get(node.n) ?? this.create(node);
      this.drawn.set(node.n, made);
      this.nodes.append(made.group);
      if (made.edge) this.edges.append(made.edge);
    }
    if (made.signature === signature) return;
    made.signature = signature;
    const { group, shape, label, number, words, sign, edge } = made;
    mark(group, 'transform', `translate(${x} ${y})`);
    mark(group, 'data-fate', fate);
    mark(group, 'aria-label', nodeName(state, node));
    mark(group, 'aria-selected', cursor);
    mark(group, 'tabindex', cursor ? 0 : -1);
    group.classList.toggle('bold', bold);
    group.classList.toggle('touched', touched);
    group.style.setProperty('--score', node.score ?? 0);
    group.classList.toggle('scored', node.score !== null);
    mark(shape, 'd', SHAPES[FATES[fate].shape]);
    if (fate === 'selected') shape.after(made.tick);
    else made.tick.remove();
    mark(label, 'x', fate === 'selected' ? 16 : 12);
    put(number, node.n === 0 ? inWords('problem') : score);
    put(sign, grade === true ? ' ✓' : grade === false ? ' ✗' : '');
    sign.setAttribute('class', grade ? 'right' : 'wrong');
    const space = score || typeof grade === 'boolean' ? ' ' : '';
    put(words, labels && node.n > 0 ? space + clip(oneLine(node.text), longest) : '');
    label.replaceChildren(...[number, sign, words].filter((span) => span.textContent));
    if (edge) {
      mark(edge, 'd', curve(this.columns.leave(node.parent), from[1], x - (fate === 'selected' ? 12 : 9), y));
      mark(edge, 'class', `edge ${fate}${bold ? ' bold' : ''}${flow > 0 && node.pruned === null ? ' flow' : ''}`);
      if (flow > 0) edge.style.setProperty('--flow', flow);
    }
    if ((made.said ?? '') === said) return;
    made.said = said;
    made.under?.remove();
    made.under = under ? underMark(under) : null;
    if (under) group.append(made.under);
  }

  // Dotted links from what was revised to the attempts that revise it.
  link(state, layout) {
    const links = state.told.has('revises') ? state.nodes.filter((node) => node.revises && this.drawn.has(node.n)) : [];
    const paths = links.flatMap((node) => linkPaths(this.spot(layout, node.revises), this.spot(layout, node), this.columns.row / 2 - 5));
    this.fill(this.links, paths, (i) => (i % 2 ? 'tip' : 'link'));
  }

  // The subtrees of a search that keeps them apart, as soft bands.
  band(state, layout) {
    const spans = [];
    const within = this.columns.row / 2 - 2;
    const { at } = this.columns;
    for (const node of state.start?.M ? state.nodes.slice(1) : []) {
      const columns = (spans[subtreeOf(state, node) - 1] ??= []);
      const y = this.spot(layout, node)[1];
      const left = at[node.depth] - 20;
      columns[node.depth] ??= [left, y - within, at[node.depth + 1] - 20 - left, y + within];
      const column = columns[node.depth];
      [column[1], column[3]] = [Math.min(column[1], y - within), Math.max(column[3], y + within)];
    }
    this.fill(this.bands, spans.map((columns) => bandPath(columns.filter(Boolean))), (i) => `band tint${i % BANDS}`);
  }

  fill(group, paths, className) {
    while (group.children.length > paths.length) group.lastChild.remove();
    while (group.children.length < paths.length) group.append(svg('path', {}));
    paths.forEach((d, i) => {
      mark(group.children[i], 'd', d);
      mark(group.children[i], 'class', className(i));
    });
  }

  create(node) {
    const made = {
      shape: svg('path', { class: 'shape' }), tick: svg('path', { class: 'tick', d: TICK }),
      label: svg('text', { y: 4 }), number: svg('tspan', { class: 'number' }), sign: svg('tspan', {}),
      words: svg('tspan', { class: 'words' }), edge: node.parent ? svg('path', { class: 'edge', fill: 'none' }) : null,
    };
    const tip = svg('title', {});
    tip.textContent = node.n === 0 ? inWords('The problem') : node.text;
    const hit = svg('rect', { class: 'hit', x: -12, y: -12, width: 60, height: 24 });
    const named = { class: 'node', role: 'treeitem', 'aria-level': node.depth + 1, 'data-path': node.path, 'data-n': node.n };
    made.group = svg('g', named, tip, hit, svg('circle', { class: 'halo', r: 14 }), made.shape, made.label);
    return made;
  }

  bunch(layout, parent, { x, y, count }) {
    let glyph = this.bunches.get(parent.n);
    if (!glyph) {
      const edge = svg('path', { class: 'edge pruned', fill: 'none' });
      glyph = { text: svg('text', { x: 12, y: 4, 'text-anchor': 'middle' }), edge };
      glyph.group = svg('g', { class: 'bunch', role: 'button', tabindex: -1, 'data-parent': parent.n },
        svg('rect', { x: -8, y: -10, width: 40, height: 20, rx: 10 }), glyph.text);
      this.nodes.append(glyph.group);
      this.edges.append(glyph.edge);
      this.bunches.set(parent.n, glyph);
    }
    mark(glyph.group, 'transform', `translate(${x} ${y})`);
    mark(glyph.group, 'aria-label', plural(count, '{n} pruned step; press to show it', '{n} pruned steps; press to show them'));
    put(glyph.text, '+' + count);
    mark(glyph.edge, 'd', curve(this.columns.leave(parent), this.spot(layout, parent)[1], x - 9, y));
  }

  // Steps that are still being written: they hang at their parent until the log brings the real ones.
  drafts(state, layout, drafts) {
    this.ghosts.replaceChildren();
    const named = Object.keys(drafts);
    if (!named.length) return;
    const byPath = new Map(state.nodes.map((node) => [node.path, node]));
    const seen = new Set();
    for (const path of named) {
      const parts = path.split('.');
      const c = Number(parts.pop());
      const parent = byPath.get(parts.join('.'));
      if (!parent || !Number.isInteger(c) || byPath.has(path)) continue;
      let row = layout.guess(state, parent, c);
      while (seen.has(`${parent.depth} ${row}`) || layout.taken[parent.depth + 1]?.has(row)) row += 1;
      seen.add(`${parent.depth} ${row}`);
      const leave = this.columns.leave(parent);
      const [x, y] = [this.columns.at[parent.depth + 1] ?? leave + 30, this.columns.y(row)];
      const text = svg('text', { x: x + 12, y: y + 4 });
      text.textContent = '…' + oneLine(String(drafts[path])).slice(-26);
      const d = curve(leave, this.spot(layout, parent)[1], x - 8, y);
      this.ghosts.append(svg('path', { class: 'edge', fill: 'none', d }),
        svg('path', { class: 'ghost', d: SHAPES.hollow, transform: `translate(${x} ${y})` }), text);
    }
  }

  // As it is while a tree grows.
  plain() {
    this.zoom = 1;
    this.columns.plain();
  }

  fit(least, most) {
    const scale = Math.min(this.pane.clientWidth / this.width, this.pane.clientHeight / this.height);
    this.zoom = Math.max(least, Math.min(most, scale));
    this.scale();
  }

  focus(node) {
    this.drawn.get(node.n)?.group.focus({ preventScroll: true });
  }

  // Scroll the pane, never the page, so that the node is in sight, with its label if there is room.
  show(node, layout) {
    const [x, y] = this.spot(layout, node).map((value) => value * this.zoom);
    const { pane } = this;
    const under = this.columns.under(node);
    const label = Math.max(this.columns.leave(node) - x / this.zoom + 18, under ? underWidth(under) : 0) * this.zoom;
    const right = x + Math.min(label + 16, pane.clientWidth - 60);
    if (x - 60 < pane.scrollLeft) pane.scrollLeft = x - 60;
    else if (right > pane.scrollLeft + pane.clientWidth) pane.scrollLeft = right - pane.clientWidth;
    if (y - 40 < pane.scrollTop) pane.scrollTop = y - 40;
    else if (y + 40 > pane.scrollTop + pane.clientHeight) pane.scrollTop = y + 40 - pane.clientHeight;
  }
}

// How far an edge goes straight on from its ends before it turns.
const bend = (x1, x2) => Math.max(12, (x2 - x1) * 0.55);

function curve(x1, y1, x2, y2) {
  const out = bend(x1, x2);
  return `M${x1} ${y1}C${x1 + out} ${y1} ${x2 - out} ${y2} ${x2} ${y2}`;
}
