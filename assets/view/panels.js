// The panels beside and below the tree. Each shows a state, remembers what it last showed, and touches the page only where
// that differs. Text from the log enters by textContent alone.

const KEYWORDS = 'yield|for|in|if|else|elif|return|def|while|and|or|not|is|lambda|None|True|False|continue|break';
const TOKENS = new RegExp(`\\b(${KEYWORDS})\\b|(#.*$|"[^"]*"|'[^']*')|\\b(\\d+)\\b`, 'g');

function codeLine(text) {
  const line = html('code');
  line.style.setProperty('--indent', text.search(/\S|$/) + 2);
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    line.append(text.slice(at, match.index));
    line.append(html('span', match[1] ? 'keyword' : match[2] ? 'literal' : 'digit', match[0]));
    at = match.index + match[0].length;
  }
  line.append(text.slice(at));
  return line;
}

class StrategyPanel {
  constructor(card) {
    this.name = card.querySelector('.name');
    this.doing = card.querySelector('.doing');
    this.list = card.querySelector('.source');
  }

  show(state, whole) {
    const source = whole.start ? whole.start.S : '';
    if (source !== this.source) {
      this.source = source;
      this.list.replaceChildren(...(source ? source.replace(/\n$/, '').split('\n') : []).map((text) => {
        const item = html('li');
        item.append(codeLine(text));
        return item;
      }));
    }
    put(this.name, whole.start ? whole.start.s.replaceAll('_', ' ') : '');
    const empty = inWords('The strategy’s own code appears here, with the line that is at work.');
    put(this.doing, whole.start ? lineWords(state, whole) : empty);
    const item = state.end || state.answer ? null : this.list.children[(state.line ?? 0) - 1] ?? null;
    if (item === this.item) return;
    this.item?.removeAttribute('aria-current');
    this.item = item;
    if (!item) return;
    item.setAttribute('aria-current', 'true');
    const { list } = this;
    const y = item.offsetTop;
    const seen = y >= list.scrollTop && y + item.offsetHeight <= list.scrollTop + list.clientHeight;
    if (!seen) list.scrollTop = y - list.clientHeight / 3;
  }
}

class AnswerPanel {
  constructor(card) {
    for (const name of ['chip', 'text', 'why', 'votes', 'baseline']) this[name] = card.querySelector('.' + name);
  }

  show(state, situation, baseline) {
    const { answer } = state;
    put(this.baseline, state.end ? baseline : '');
    const grade = answer ? gradeOf(state, state.nodes[answer.n]) : undefined;
    mark(this.chip, 'data-grade', grade ?? 'none');
    put(this.chip, grade === undefined ? '' : gradeChip(grade));
    const none = situation === 'empty' ? '—' : situation === 'live' ? inWords('Searching…') : inWords('No answer');
    put(this.text, answer ? answer.w : none);
    put(this.why, this.explain(state, situation, grade));
    const votes = answer ? answer.V : [];
    if (votes === this.shown) return;
    this.shown = votes;
    const heaviest = Math.max(...votes.map(([, weight]) => weight), 1e-9);
    this.votes.replaceChildren(...votes.map(([text, weight]) => {
      const row = html('div', 'vote');
      const bar = html('span', 'bar');
      bar.style.setProperty('--part', Math.max(0, weight / heaviest));
      const figure = Number.isInteger(weight) ? String(weight) : weight.toFixed(2);
      row.append(html('span', 'said', text), bar, html('span', 'weight', figure));
      row.classList.toggle('won', text === answer.w);
      return row;
    }));
  }

  explain(state, situation, grade) {
    if (situation === 'empty') return inWords('The answer and how it was chosen will stand here.');
    const rule = state.answer ? ruleSentence(state.answer.r) : '';
    const truth = grade === false && state.start?.b ? inWords('A right answer is {answer}.', { answer: state.start.b }) : '';
    if (state.end || situation === 'interrupted') return [`${statusOf(state, situation)}.`, rule, truth].filter(Boolean).join(' ');
    const found = state.nodes.filter((node) => node.terminal).length;
    if (rule) return rule;
    return found ? plural(found, '{n} finished answer so far.', '{n} finished answers so far.') : inWords('No finished answer so far.');
  }
}

function ruleSentence(rule) {
  const meaning = fromTable(RULES, rule);
  return meaning ? inWords('Chosen by rule “{rule}”: {meaning}.', { rule, meaning }) : inWords('Chosen by rule “{rule}”.', { rule });
}

// What the strategy or the runner remarked, for as long as it holds true: the newest last, a repeated one once.
class RemarksPanel {
  constructor(list) {
    this.list = list;
  }

  show(state) {
    const notes = [...new Set(state.notes)].slice(-4);
    this.list.hidden = notes.length === 0;
    if (String(notes) === this.shown) return;
    this.shown = String(notes);
    const sentence = (note) => note.replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase());
    this.list.replaceChildren(...notes.map((note) => html('p', '', sentence(note))));
  }
}

const STOPS = { step: 'at the end of the step', eos: 'at the end of the answer', length: 'cut at the length limit' };

class DetailPanel {
  constructor(card) {
    for (const name of ['which', 'steps', 'facts', 'spoken']) this[name] = card.querySelector('.' + name);
    this.unpin = card.querySelector('[data-do=unpin]');
    this.steps.replaceChildren();
  }

  // `full` is what the server knows of the path: the text uncut, tokens, log-probability; undefined until it arrives.
  show(state, node, full, pinned) {
    this.unpin.hidden = !pinned;
    const path = node ? pathTo(node) : [];
    put(this.which, !node ? '' : node.n === 0 ? inWords('the problem')
      : [inWords('node {path}, step {depth}', node), ...subtreeWords(state, node)].join(', '));
    const scored = (step) => (step.failed ? inWords('failed') : scoreText(step.score));
    const known = path.map((step, i) => ({ ...full?.steps?.[i], cut: step.text, score: scored(step) }));
    const empty = node && state.start ? state.start.p : inWords('Choose a node of the tree to read the whole path to it.');
    this.list(known.length ? known.map((step) => [(step.text ?? step.cut).trim() || inWords('(empty step)'), step.score]) : [[empty, '']],
      known.length > 0);
    const own = path[path.length - 1];
    const signature = JSON.stringify([node?.path, own?.reward, known.at(-1)?.score, full ? full.has : null,
      node && fateWords(state, node), node && factWords(node)]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.facts.replaceChildren(...(known.length ? this.tell(state, node, known[known.length - 1], full) : []));
    const spoken = known.length ? spokenOf(node, full) : [];
    this.spoken.hidden = spoken.length === 0;
    this.spoken.replaceChildren(...spoken.map(([head, text]) => {
      const item = html('div');
      item.append(html('h4', '', head), html('p', text ? '' : 'quiet', text ?? inWords('Its text comes from the server…')));
      return item;
    }));
  }

  // One line a step, of which those that say the same as before are left alone: a path can have hundreds.
  list(lines, steps) {
    const before = this.lines?.length ?? 0;
    const rows = this.steps.children;
    lines.forEach((line, i) => {
      const said = this.lines?.[i];
      if (!rows[i]) {
        const row = html('li');
        row.append(html('span', 'words'), html('span', 'score'));
        this.steps.append(row);
      }
      if (said?.[0] !== line[0]) put(rows[i].firstChild, line[0]);
      if (said?.[1] !== line[1]) put(rows[i].lastChild, line[1]);
    });
    while (rows.length > lines.length) this.steps.lastChild.remove();
    for (const i of new Set([before - 1, lines.length - 1])) {
      if (rows[i]) rows[i].className = steps ? (i === lines.length - 1 ? 'own' : '') : 'plain';
    }
    if (before !== lines.length) this.steps.scrollTop = this.steps.scrollHeight;
    this.lines = lines;
  }

  tell(state, node, step, full) {
    const later = full ? '–' : '…';
    const logprob = typeof step.logprob === 'number' ? step.logprob.toFixed(2).replace(/^-0\.00$/, '0.00') : later;
    const facts = [[inWords('Fate'), fateWords(state, node)], [inWords('Score'), step.score || '–'],
      [inWords('Reward'), node.reward === null ? '–' : node.reward.toFixed(4)], [inWords('Tokens'), step.tokens ?? later],
      [inWords('Log-probability'), logprob], [inWords('Stopped'), fromTable(STOPS, step.stop, later)]];
    const answer = step.answer ?? node.answer ?? (state.answer?.n === node.n ? state.answer.w : null);
    const { share } = node;
    if (answer) facts.push([inWords('Answer'), answer]);
    if (node.visits !== null) facts.push([inWords('Visits'), node.visits]);
    if (node.value !== null) facts.push([inWords('Value'), node.value.toFixed(3)]);
    if (share) facts.push([inWords('Share'), plural(share.of, '{own} of {n} sample', '{own} of {n} samples', share)]);
    if (node.weight !== null) facts.push([inWords('Weight'), weightText(node.weight)]);
    const [yes, of, mean] = node.verdicts ?? [];
    if (of) facts.push([inWords('Verdicts'), inWords('{yes} of {of} yes, mean {mean}', { yes, of, mean: scoreText(mean) })]);
    if (node.revises) facts.push([inWords('Revises'), inWords('node {path}', node.revises)]);
    if (node.revised.length) facts.push([inWords('Revised as'), inWords('node {path}', { path: pathsOf(node.revised) })]);
    return facts.map(([name, value]) => {
      const pair = html('div');
      pair.append(html('dt', '', name), html('dd', '', String(value)));
      return pair;
    });
  }
}
