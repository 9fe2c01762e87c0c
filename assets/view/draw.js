// The tree as SVG: one <g> a node, kept from frame to frame and touched only where something changed. Text from the log enters
// by textContent alone. Fate is told by shape as well as by colour.

const SVG = 'http://www.w3.org/2000/svg';
const ROWS = { plain: 26, facts: 31, links: 50 };   // px; more where something stands under the nodes, or between them
const PAD = 22;
const LABELS_UP_TO = 40;     // nodes with their step's text beside them
const BUNCH_ABOVE = 800;     // nodes; beyond, pruned leaves of one parent become one "+12"
const CHARACTER = 6.65;      // px of the 11 px monospace face
const LONGEST = 30;          // characters of a label; fewer, or 0, where a recording would not fit its pane otherwise

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

// Whether a score may still come: of a verifier that writes only for finished nodes.
function awaited(whole, node) {
  return whole.start?.v && (node.terminal || !whole.start.v.startsWith('judge:'));
}

class Picture {
  constructor(pane, legend) {
    this.pane = pane;
    this.svg = pane.querySelector('svg');
    [this.bands, this.edges, this.links, this.ghosts, this.nodes] = this.svg.children;
    this.drawn = new Map();   // node number -> what stands in the page for it
    this.stock = new Map();   // the same for nodes that are out of sight now and may come back
    this.bunches = new Map(); // parent number -> the glyph for its pruned leaves
    this.opened = new Set();  // parents whose bunch the reader opened
    this.plain();
    this.legend = new Legend(legend);
  }

  clear() {
    for (const group of this.svg.children) group.replaceChildren();
    this.drawn.clear();
    this.stock.clear();
    this.bunches.clear();
    this.opened.clear();
    this.measured = '';
  }

  // Columns: as wide as their labels need, or as their scores need in a large tree. Measured on the whole log, so that moving
  // along it moves nothing.
  measure(whole) {
    const measured = `${whole.k} ${this.longest}`;
    if (measured === this.measured) return;
    this.measured = measured;
    const labels = whole.nodes.length <= LABELS_UP_TO + 1 && this.longest > 0;
    const widest = [];
    this.labels = labels;
    this.numbered = [];        // by depth: characters for scores, and for what stands under them in a large tree
    for (const node of whole.nodes) {
      const known = node.visits > 1 && (!labels || node.n === 0) ? 8
        : node.score !== null || node.failed || (!labels && awaited(whole, node)) ? 5 : 1;
      this.numbered[node.depth] = Math.max(this.numbered[node.depth] ?? 1, known);
    }
    for (const node of whole.nodes) {
      const under = this.under(node);
      const needed = Math.max(12 + this.length(node) * CHARACTER, under ? underWidth(under) - 30 : 0);
      widest[node.depth] = Math.max(widest[node.depth] ?? 0, needed);
    }
    this.row = whole.told.has('revises') ? ROWS.links : whole.told.size ? ROWS.facts : ROWS.plain;
    this.columns = [];
    let x = PAD;
    for (const width of widest) {
      this.columns.push(x);
      x += width + 42;
    }
    this.columns.push(x);
    this.bunching = whole.nodes.length > BUNCH_ABOVE;
  }

  // Characters of a node's label.
  length(node) {
    if (node.n === 0) return Math.max(7, this.numbered[0] + 1);
    return this.numbered[node.depth] + (this.labels ? Math.min(oneLine(node.text).length, this.longest) + 1 : 0);
  }

  under(node) {
    return underOf(node, this.labels ? this.longest + 4 : 0);
  }

  spot(layout, node) {
    return [this.columns[node.depth], this.y(layout.row(node))];
  }

  y(row) {
    return PAD + row * this.row;
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

  // Draw `state`; `view` is what the reader chose: {cursor, drafts}.
  draw(state, whole, layout, view) {
    this.measure(whole);
    const best = new Set(state.answer ? [0, ...pathTo(state.nodes[state.answer.n]).map((node) => node.n)] : []);
    const bunched = this.bunched(state);
    const hidden = new Set([...bunched.values()].flat());
    this.touched = touchedBy(state);
    this.told = whole.told.size > 0;
    for (const node of state.nodes) {
      if (hidden.has(node)) this.remove(node.n);
      else this.node(state, layout, node, best, view);
    }
    for (const n of this.drawn.keys()) if (n >= state.nodes.length) this.remove(n);
    for (const [n, glyph] of this.bunches) {
      if (bunched.has(n)) continue;
      glyph.group.remove();
      glyph.edge.remove();
      this.bunches.delete(n);
    }
    for (const [n, nodes] of bunched) this.bunch(layout, state.nodes[n], nodes);
    this.link(state, layout);
    this.band(state, layout);
    this.legend.explain(whole);
    const ghosts = this.drafts(state, layout, view.drafts);
    this.width = Math.max(this.columns[this.columns.length - 1] + (ghosts ? 190 : 0), 200);
    this.height = PAD * 2 + Math.max(layout.height - 1, 0) * this.row + (this.row > ROWS.plain ? 8 : 0);
    mark(this.svg, 'viewBox', `0 0 ${this.width} ${this.height}`);
    mark(this.svg, 'width', Math.round(this.width * this.zoom));
    mark(this.svg, 'height', Math.round(this.height * this.zoom));
  }

  remove(n) {
    const made = this.drawn.get(n);
    if (!made) return;
    made.group.remove();
    made.edge?.remove();
    this.drawn.delete(n);
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
    const under = this.told ? this.under(node) : null;
    const flow = this.told ? flowOf(state, node).toFixed(3) : '0.000';
    const said = this.told ? JSON.stringify([under, factWords(node), flow]) : '';
    const signature = [x, y, fate, grade, score, bold, cursor, touched, this.labels, this.longest, from, said].join('|');
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
    put(number, node.n === 0 ? 'problem' : score);
    put(sign, grade === true ? ' ✓' : grade === false ? ' ✗' : '');
    sign.setAttribute('class', grade ? 'right' : 'wrong');
    const space = score || typeof grade === 'boolean' ? ' ' : '';
    put(words, this.labels && node.n > 0 ? space + clip(oneLine(node.text), this.longest) : '');
    label.replaceChildren(...[number, sign, words].filter((span) => span.textContent));
    if (edge) {
      mark(edge, 'd', curve(this.leave(node.parent), from[1], x - (fate === 'selected' ? 12 : 9), y));
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
    const paths = links.flatMap((node) => linkPaths(this.spot(layout, node.revises), this.spot(layout, node), this.row / 2 - 5));
    this.fill(this.links, paths, (i) => (i % 2 ? 'tip' : 'link'));
  }

  // The subtrees of a search that keeps them apart, as soft bands.
  band(state, layout) {
    const spans = [];
    const within = this.row / 2 - 2;
    for (const node of state.start?.M ? state.nodes.slice(1) : []) {
      const columns = (spans[subtreeOf(state, node) - 1] ??= []);
      const y = this.spot(layout, node)[1];
      const left = this.columns[node.depth] - 20;
      columns[node.depth] ??= [left, y - within, this.columns[node.depth + 1] - 20 - left, y + within];
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

  // Where edges leave a node: behind its label, or at the node where there is none.
  leave(node) {
    const length = this.length(node);
    return this.columns[node.depth] + (length > 1 ? 14 + length * CHARACTER : 10);
  }

  create(node) {
    const made = {
      shape: svg('path', { class: 'shape' }), tick: svg('path', { class: 'tick', d: TICK }),
      label: svg('text', { y: 4 }), number: svg('tspan', { class: 'number' }), sign: svg('tspan', {}),
      words: svg('tspan', { class: 'words' }), edge: node.parent ? svg('path', { class: 'edge', fill: 'none' }) : null,
    };
    const tip = svg('title', {});
    tip.textContent = node.n === 0 ? 'The problem' : node.text;
    const hit = svg('rect', { class: 'hit', x: -12, y: -12, width: 60, height: 24 });
    const named = { class: 'node', role: 'treeitem', 'aria-level': node.depth + 1, 'data-path': node.path, 'data-n': node.n };
    made.group = svg('g', named, tip, hit, svg('circle', { class: 'halo', r: 14 }), made.shape, made.label);
    return made;
  }

  bunch(layout, parent, nodes) {
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
    const row = Math.min(...nodes.map((node) => layout.row(node)));
    const [x, y] = [this.columns[parent.depth + 1], this.y(row)];
    mark(glyph.group, 'transform', `translate(${x} ${y})`);
    mark(glyph.group, 'aria-label', `${nodes.length} pruned steps; press to show them`);
    put(glyph.text, '+' + nodes.length);
    mark(glyph.edge, 'd', curve(this.leave(parent), this.spot(layout, parent)[1], x - 9, y));
  }

  // Steps that are still being written: they hang at their parent until the log brings the real ones.
  drafts(state, layout, drafts) {
    this.ghosts.replaceChildren();
    const byPath = new Map(state.nodes.map((node) => [node.path, node]));
    const seen = new Set();
    for (const path in drafts) {
      const parts = path.split('.');
      const c = Number(parts.pop());
      const parent = byPath.get(parts.join('.'));
      if (!parent || !Number.isInteger(c) || byPath.has(path)) continue;
      let row = layout.guess(state, parent, c);
      while (seen.has(`${parent.depth} ${row}`) || layout.taken[parent.depth + 1]?.has(row)) row += 1;
      seen.add(`${parent.depth} ${row}`);
      const [x, y] = [this.columns[parent.depth + 1] ?? this.leave(parent) + 30, this.y(row)];
      const text = svg('text', { x: x + 12, y: y + 4 });
      text.textContent = '…' + oneLine(String(drafts[path])).slice(-26);
      const d = curve(this.leave(parent), this.spot(layout, parent)[1], x - 8, y);
      this.ghosts.append(svg('path', { class: 'edge', fill: 'none', d }),
        svg('path', { class: 'ghost', d: SHAPES.hollow, transform: `translate(${x} ${y})` }), text);
    }
    return seen.size;
  }

  // As it is while a tree grows.
  plain() {
    this.zoom = 1;
    this.longest = LONGEST;
  }

  // Labels as long as let `whole` fit its pane at that zoom; none at all if that is what it takes, and enough.
  shorten(whole, zoom) {
    const lengths = [LONGEST, 27, 24, 21, 18, 15, 12, 9, 0];
    this.longest = lengths.find((longest) => {
      this.longest = longest;
      this.measure(whole);
      return !this.labels && longest > 0 || this.columns[this.columns.length - 1] * zoom <= this.pane.clientWidth;
    }) ?? 18;
  }

  fit(least, most) {
    const scale = Math.min(this.pane.clientWidth / this.width, this.pane.clientHeight / this.height);
    this.zoom = Math.max(least, Math.min(most, scale));
  }

  focus(node) {
    this.drawn.get(node.n)?.group.focus({ preventScroll: true });
  }

  // Scroll the pane, never the page, so that the node is in sight, with its label if there is room.
  show(node, layout) {
    const [x, y] = this.spot(layout, node).map((value) => value * this.zoom);
    const { pane } = this;
    const under = this.under(node);
    const label = Math.max(this.leave(node) - this.columns[node.depth] + 18, under ? underWidth(under) : 0) * this.zoom;
    const right = x + Math.min(label + 16, pane.clientWidth - 60);
    if (x - 60 < pane.scrollLeft) pane.scrollLeft = x - 60;
    else if (right > pane.scrollLeft + pane.clientWidth) pane.scrollLeft = right - pane.clientWidth;
    if (y - 40 < pane.scrollTop) pane.scrollTop = y - 40;
    else if (y + 40 > pane.scrollTop + pane.clientHeight) pane.scrollTop = y + 40 - pane.clientHeight;
  }
}

function curve(x1, y1, x2, y2) {
  const bend = Math.max(12, (x2 - x1) * 0.55);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
