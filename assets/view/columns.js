// Where columns stand and how far apart rows are: as wide as the labels need, or as scores need in a large tree. Measured on the
// whole log, so that moving along it moves nothing. It knows the face that labels are set in, and no SVG.

const ROWS = { plain: 26, facts: 31, links: 50 };   // px; more where something stands under the nodes, or between them
const PAD = 22;
const LABELS_UP_TO = 40;     // nodes with their step's text beside them
const CHARACTER = 6.65;      // px of the 11 px monospace face
const LONGEST = 30;          // characters of a label; fewer, or 0, where a recording would not fit its pane otherwise

// Whether a score may still come: of a verifier that writes only for finished nodes.
function awaited(whole, node) {
  return whole.start?.v && (node.terminal || !whole.start.v.startsWith('judge:'));
}

class Columns {
  constructor() {
    this.plain();
  }

  // As they are while a tree grows.
  plain() {
    this.longest = LONGEST;
    this.measured = '';
  }

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
    this.at = [];              // x by depth, and of the column after the last
    let x = PAD;
    for (const width of widest) {
      this.at.push(x);
      x += width + 42;
    }
    this.at.push(x);
  }

  get width() { return this.at[this.at.length - 1]; }

  height(layout) {
    return PAD * 2 + Math.max(layout.height - 1, 0) * this.row + (this.row > ROWS.plain ? 8 : 0);
  }

  spot(layout, node) {
    return [this.at[node.depth], this.y(layout.row(node))];
  }

  y(row) {
    return PAD + row * this.row;
  }

  // Characters of a node's label.
  length(node) {
    if (node.n === 0) return Math.max(7, this.numbered[0] + 1);
    return this.numbered[node.depth] + (this.labels ? Math.min(oneLine(node.text).length, this.longest) + 1 : 0);
  }

  under(node) {
    return underOf(node, this.labels ? this.longest + 4 : 0);
  }

  // Where edges leave a node: behind its label, or at the node where there is none.
  leave(node) {
    const length = this.length(node);
    return this.at[node.depth] + (length > 1 ? 14 + length * CHARACTER : 10);
  }

  // Labels as long as let `whole` fit into that width; none at all if that is what it takes, and enough.
  shorten(whole, width) {
    const lengths = [LONGEST, 27, 24, 21, 18, 15, 12, 9, 0];
    this.longest = lengths.find((longest) => {
      this.longest = longest;
      this.measure(whole);
      return !this.labels && longest > 0 || this.width <= width;
    }) ?? 18;
    this.measure(whole);
  }
}
