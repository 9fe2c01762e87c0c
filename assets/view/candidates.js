// The candidates of the current iteration as a table, which can be sorted by node and by score.

class CandidatesPanel {
  constructor(card) {
    this.round = card.querySelector('.round');
    this.body = card.querySelector('tbody');
    this.heads = [...card.querySelectorAll('[data-sort]')];
    this.sorted = { by: 'node', up: true };
    this.made = new Map();     // node number -> its row, as long as its iteration is shown
    this.say();
  }

  show(state, whole, cursor) {
    const nodes = this.order(candidatesOf(state));
    put(this.round, state.iteration ? plural(nodes.length, 'iteration {iteration} of {all}, {n} candidate',
      'iteration {iteration} of {all}, {n} candidates', { iteration: state.iteration, all: whole.iteration }) : inWords('none yet'));
    const key = state.iteration + ':' + nodes.map((node) => `${node.n} ${node.text}`);
    if (key !== this.key) {
      this.key = key;
      const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
      this.made = new Map(nodes.map((node) => [node.n, this.kept(node) ?? this.row(node)]));
      this.body.replaceChildren(...(nodes.length ? [...this.made.values()].map((row) => row.line) : [this.hint()]));
      focused?.focus({ preventScroll: true });
    }
    nodes.forEach((node) => {
      const row = this.made.get(node.n);
      put(row.score, node.failed ? inWords('failed') : scoreText(node.score) || '–');
      row.bar.style.setProperty('--part', node.score ?? 0);
      put(row.fate, [fateWords(state, node), ...factWords(node)].join(' · '));
      mark(row.line, 'data-fate', fateOf(state, node));
      row.line.classList.toggle('cursor', node.n === cursor);
    });
  }

  // By node, parents in their order, or by score, those without one last.
  order(nodes) {
    const { by, up } = this.sorted;
    const placed = nodes.sort((a, b) => a.parent.n - b.parent.n || a.c - b.c);
    const side = up ? 1 : -1;
    if (by === 'score') return placed.sort((a, b) => (a.score === null) - (b.score === null) || side * (a.score - b.score));
    return up ? placed : placed.reverse();
  }

  // The best first when scores are asked for; asked again, the other way round.
  sort(by) {
    this.sorted = { by, up: this.sorted.by === by ? !this.sorted.up : by !== 'score' };
    this.say();
  }

  say() {
    for (const head of this.heads) {
      const own = head.dataset.sort === this.sorted.by;
      mark(head.closest('th'), 'aria-sort', own ? (this.sorted.up ? 'ascending' : 'descending') : 'none');
    }
  }

  kept(node) {
    const row = this.made.get(node.n);
    return row?.text === node.text && row.path === node.path ? row : undefined;
  }

  row(node) {
    const made = { text: node.text, path: node.path, line: html('tr'), score: html('span'), bar: html('span', 'bar'), fate: html('td', 'fate') };
    const step = html('button', 'step', oneLine(node.text) || inWords('(empty step)'));
    step.type = 'button';
    made.line.dataset.n = node.n;
    const cells = [html('td', 'path', node.path), html('td'), html('td', 'score')];
    cells[1].append(step);
    cells[2].append(made.score, made.bar);
    made.line.append(...cells, made.fate);
    return made;
  }

  hint() {
    const line = html('tr');
    const says = inWords('The steps of the current iteration are listed here, each with its score and what became of it.');
    const cell = html('td', 'quiet', says);
    cell.colSpan = 4;
    line.append(cell);
    return line;
  }
}
