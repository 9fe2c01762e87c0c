// Where nodes stand: columns by depth, rows on a grid. A node gets its row when it is added and keeps it for ever: the row
// depends only on the part of the log before it, so nothing jumps when others arrive, and a replay looks like the live search.
// Families (the children of one node) stand together, in the order of their child index. It knows no SVG.

class Layout {
  constructor() {
    this.rows = new Map([[0, 0]]);
    this.base = new Map([[0, 0]]);   // parent's number -> the row of its child 0
    this.taken = [new Set([0])];     // by depth
    this.height = 1;
    this.top = this.bottom = 0;      // rows of the root's first and last child
    this.width = 1;                  // children a node gets, as last seen
  }

  // The root stands in the middle of its children.
  row(node) {
    return node.n > 0 ? this.rows.get(node.n) : (this.top + this.bottom) / 2;
  }

  // `state` is what was known when `node` was added.
  add(state, node) {
    const { parent, depth } = node;
    if (!this.base.has(parent.n)) {
      const chain = parent.iteration === node.iteration;
      const plan = chain ? [[parent.n, this.rows.get(parent.n)]] : this.plan(state, parent);
      for (const [n, base] of plan) this.base.set(n, base);
    }
    const taken = (this.taken[depth] ??= new Set());
    const row = nearestFree(taken, this.base.get(parent.n) + node.c);
    taken.add(row);
    this.rows.set(node.n, row);
    this.height = Math.max(this.height, row + 1);
    if (parent.n === 0) {
      this.top = parent.kids.length === 1 ? row : Math.min(this.top, row);
      this.bottom = parent.kids.length === 1 ? row : Math.max(this.bottom, row);
    }
    if (parent.n === 0 && node.iteration === 1) this.width = parent.kids.length;
  }

  // Rows for the families of all nodes that are about to grow, so that neighbours leave each other room. Those are the open
  // nodes that the last iteration left when it ruled some out; otherwise (tree search) `parent` alone.
  plan(state, parent) {
    const before = state.iterations[parent.iteration] ?? [];
    const peers = before.map((n) => state.nodes[n]);
    const open = peers.filter((node) => node.depth === parent.depth && node.pruned === null && !node.terminal
      && !this.base.has(node.n) && !node.kids.some((kid) => kid.iteration === node.iteration));
    const round = open.includes(parent) && (open.length < peers.length || open.length === 1);
    const families = round ? open : [parent];
    families.sort((a, b) => this.rows.get(a.n) - this.rows.get(b.n));
    const width = families.length > 1 ? Math.max(1, Math.ceil(this.width / families.length))
      : Math.min(this.width, parent.parent ? parent.parent.kids.length : this.width);
    const wishes = families.map((node) => this.rows.get(node.n) - (width - 1) / 2);
    const starts = spread(wishes, width, this.height);
    return families.map((node, i) => [node.n, starts[i]]);
  }

  // Where a child that is still being written will stand; nothing is remembered.
  guess(state, parent, c) {
    if (this.base.has(parent.n)) return this.base.get(parent.n) + c;
    return new Map(this.plan(state, parent)).get(parent.n) + c;
  }
}

// First rows for blocks of `width` rows, in order, without overlap, each as near to its wish as the others allow, and within
// `height` rows if they fit.
function spread(wishes, width, height) {
  const groups = [];
  wishes.forEach((wish, i) => {
    groups.push({ sum: wish - i * width, count: 1 });
    while (groups.length > 1) {
      const [a, b] = groups.slice(-2);
      if (a.sum / a.count <= b.sum / b.count) break;
      groups.splice(-2, 2, { sum: a.sum + b.sum, count: a.count + b.count });
    }
  });
  const room = Math.max(0, height - width * wishes.length);
  return groups.flatMap((group) => Array(group.count).fill(Math.round(group.sum / group.count)))
    .map((start, i) => Math.min(Math.max(start, 0), room) + i * width);
}

function nearestFree(taken, wish) {
  for (let off = 0; ; off += 1) {
    if (!taken.has(wish + off)) return wish + off;
    if (wish - off >= 0 && !taken.has(wish - off)) return wish - off;
  }
}
