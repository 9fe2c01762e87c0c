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
    this.empty = this.doing.textContent;
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
    put(this.doing, whole.start ? lineWords(state, whole) : this.empty);
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
    put(this.chip, grade === true ? '✓ right' : grade === false ? '✗ wrong' : grade === null ? '? not known' : '');
    const without = { empty: '—', live: 'Searching…', done: 'No answer', interrupted: 'No answer' };
    put(this.text, answer ? answer.w : without[situation]);
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
    if (situation === 'empty') return 'The answer and how it was chosen will stand here.';
    const found = state.nodes.filter((node) => node.terminal).length;
    const meaning = RULES[state.answer?.r];
    const rule = state.answer ? `Chosen by rule “${state.answer.r}”${meaning ? ': ' + meaning : ''}.` : '';
    const truth = grade === false && state.start && state.start.b ? ` A right answer is ${state.start.b}.` : '';
    if (state.end || situation === 'interrupted') return `${statusOf(state, situation)}. ${rule}${truth}`.trim();
    return rule || (found ? `${many(found, 'finished answer')} so far.` : 'No finished answer so far.');
  }
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

class DetailPanel {
  constructor(card) {
    for (const name of ['which', 'steps', 'facts', 'spoken']) this[name] = card.querySelector('.' + name);
    this.unpin = card.querySelector('[data-do=unpin]');
  }

  // `full` is what the server knows of the path: the text uncut, tokens, log-probability; undefined until it arrives.
  show(state, node, full, pinned) {
    this.unpin.hidden = !pinned;
    const path = node ? pathTo(node) : [];
    const subtree = node && subtreeOf(state, node);
    const where = subtree ? `, subtree ${subtree}` : '';
    put(this.which, !node ? '' : node.n === 0 ? 'the problem' : `node ${node.path}, step ${node.depth}${where}`);
    const scores = path.map((step) => [step.text, step.reward, step.score, step.failed]);
    const signature = JSON.stringify([node?.path, scores, full ? full.has : null, node && fateWords(state, node),
      node && factWords(node), state.start?.p]);
    if (signature === this.signature) return;
    this.signature = signature;
    const scored = (step) => (step.failed ? 'failed' : scoreText(step.score));
    const known = path.map((step, i) => ({ ...full?.steps?.[i], cut: step.text, score: scored(step) }));
    const empty = node && state.start ? state.start.p : 'Choose a node of the tree to read the whole path to it.';
    this.steps.replaceChildren(...(known.length ? known.map((step, i) => {
      const item = html('li', i === known.length - 1 ? 'own' : '');
      const words = (step.text ?? step.cut).trim() || '(empty step)';
      item.append(html('span', 'words', words), html('span', 'score', step.score));
      return item;
    }) : [html('li', 'plain', empty)]));
    this.steps.scrollTop = this.steps.scrollHeight;
    this.facts.replaceChildren(...(known.length ? this.tell(state, node, known[known.length - 1], full) : []));
    const spoken = known.length ? spokenOf(node, full) : [];
    this.spoken.hidden = spoken.length === 0;
    this.spoken.replaceChildren(...spoken.map(([head, text]) => {
      const item = html('div');
      item.append(html('h4', '', head), html('p', text ? '' : 'quiet', text ?? 'Its text comes from the server…'));
      return item;
    }));
  }

  tell(state, node, step, full) {
    const stops = { step: 'at the end of the step', eos: 'at the end of the answer', length: 'cut at the length limit' };
    const later = full ? '–' : '…';
    const logprob = typeof step.logprob === 'number' ? step.logprob.toFixed(2) : later;
    const facts = [['Fate', fateWords(state, node)], ['Score', step.score || '–'],
      ['Reward', node.reward === null ? '–' : node.reward.toFixed(4)], ['Tokens', step.tokens ?? later],
      ['Log-probability', logprob], ['Stopped', stops[step.stop] ?? later]];
    const answer = step.answer ?? node.answer ?? (state.answer?.n === node.n ? state.answer.w : null);
    if (answer) facts.push(['Answer', answer]);
    if (node.visits !== null) facts.push(['Visits', node.visits]);
    if (node.value !== null) facts.push(['Value', node.value.toFixed(3)]);
    if (node.share) facts.push(['Share', `${node.share.own} of ${many(node.share.of, 'sample')}`]);
    if (node.weight !== null) facts.push(['Weight', weightText(node.weight)]);
    const [yes, of, mean] = node.verdicts ?? [];
    if (of) facts.push(['Verdicts', `${yes} of ${of} yes, mean ${scoreText(mean)}`]);
    if (node.revises) facts.push(['Revises', 'node ' + node.revises.path]);
    if (node.revised.length) facts.push(['Revised as', 'node ' + node.revised.map((attempt) => attempt.path).join(', ')]);
    return facts.map(([name, value]) => {
      const pair = html('div');
      pair.append(html('dt', '', name), html('dd', '', String(value)));
      return pair;
    });
  }
}
