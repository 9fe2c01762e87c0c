// Everything the view says in sentences: pure functions from a state to plain words.

const FATES = {
  kept: { word: 'kept', shape: 'disc', says: 'kept or open' },
  open: { word: 'open', shape: 'disc' },
  waiting: { word: 'waiting for a score', shape: 'hollow', says: 'waiting for a score' },
  pruned: { word: 'pruned', shape: 'cross', says: 'pruned' },
  duplicate: { word: 'duplicate', shape: 'ring', says: 'duplicate of a sibling' },
  finished: { word: 'finished', shape: 'square', says: 'finished answer' },
  selected: { word: 'the answer', shape: 'chosen', says: 'the chosen answer' },
};
const REASONS = {
  rank: 'others ranked higher', duplicate: 'same text as a sibling', 'by hand': 'pruned by hand',
  'no share': 'its share of the next samples is none', 'not drawn': 'no particle drew it',
};
const RULES = {
  best: 'the finished answer with the highest score', majority: 'the answer that most samples gave',
  weighted: 'the answer with the largest sum of scores', last: 'the last finished answer',
};

const many = (count, one, more) => `${count.toLocaleString('en')} ${count === 1 ? one : more ?? one + 's'}`;
const scoreText = (score) => (score === null || score === undefined ? '' : score.toFixed(2));
const quote = (text) => `“${text || 'an empty step'}”`;
const clip = (text, length) => (text.length > length ? text.slice(0, length - 1) + '…' : text);
const oneLine = (text) => text.replace(/\s+/g, ' ').trim();

function fateWords(state, node) {
  const fate = fateOf(state, node);
  if (fate === 'pruned') return 'pruned: ' + (REASONS[node.pruned] ?? node.pruned);
  const grade = gradeOf(state, node);
  return FATES[fate].word + (grade === true ? ', right' : grade === false ? ', wrong' : '');
}

function nodeName(state, node) {
  if (node.n === 0) return 'the problem: ' + (state.start ? state.start.p : '');
  const none = node.failed ? 'no score, the verifier failed' : 'no score';
  const score = node.score === null ? none : 'score ' + scoreText(node.score);
  return `step ${node.depth}, ${node.text || 'empty'}, ${score}, ${fateWords(state, node)}`;
}

// What just happened, for the status line: about the iteration, not about each event.
function statusWords(state, situation) {
  if (situation === 'empty') return '';
  if (state.end || situation === 'interrupted') return endWords(state, situation);
  if (state.answer) return `The search is over: the answer is ${state.answer.w}.`;
  if (state.iteration === 0) return 'The search begins.';
  const ours = state.iterations[state.iteration].map((n) => state.nodes[n]);
  const scored = ours.filter((node) => node.score !== null);
  const kept = candidatesOf(state).filter((node) => fateOf(state, node) === 'kept');
  const said = [many(ours.length, 'step') + ' sampled'];
  if (scored.length && scored.length < ours.length) said.push(`${scored.length} scored`);
  if (kept.length) said.push(`${kept.length} kept`);
  const done = ours.filter((node) => node.terminal).length;
  if (done) said.push(`${done} finished`);
  if (scored.length) said.push('best score ' + scoreText(Math.max(...scored.map((node) => node.score))));
  return `Iteration ${state.iteration}: ${said.join(', ')}.`;
}

function endWords(state, situation) {
  const answer = state.answer ? ` The answer is ${state.answer.w}${gradeWords(gradeOf(state, state.nodes[state.answer.n]))}.`
    : ' No answer was finished.';
  return statusOf(state, situation) + '.' + answer;
}

const gradeWords = (grade) => (grade === true ? ', which is right' : grade === false ? ', which is wrong' : '');

function statusOf(state, situation) {
  if (!state.end) return situation === 'interrupted' ? 'Interrupted: the program that ran this search is gone' : 'Searching';
  const words = { done: 'Done', budget: 'Stopped when the budget was spent', cancelled: 'Cancelled', failed: 'Failed' };
  return (words[state.end.s] ?? state.end.s) + (state.end.d ? `: ${state.end.d.replace(/\.$/, '')}` : '');
}

// One sentence about what the current line of the strategy is doing at this event.
function lineWords(state) {
  const e = state.last;
  if (!e) return 'Nothing has happened yet.';
  const node = e.n === undefined ? null : state.nodes[e.n];
  const what = node ? quote(clip(node.text, 60)) : '';
  if (e.k === '!') return 'The strategy starts at the problem itself, the root of the tree.';
  if (e.k === '+') {
    const from = node.parent.n === 0 ? 'the problem' : quote(clip(node.parent.text, 40));
    return `It asks the policy for steps after ${from}; the policy wrote ${what}.`;
  }
  if (e.k === '?') return node.failed ? `It asks the verifier about ${what}; the verifier failed on it, so it ranks last.`
    : `It asks the verifier how good ${what} is: the score is ${scoreText(node.score)}.`;
  if (e.k === 'x') return `It gives up ${what}: ${REASONS[e.y] ?? e.y}.`;
  if (e.k === '>') {
    const visits = typeof e.v === 'number' ? `, visited ${many(e.v, 'time')} so far` : '';
    const value = typeof e.u === 'number' ? `, value ${scoreText(e.u)}` : '';
    const weight = typeof e.w === 'number' ? `, weight ${Number.isInteger(e.w) ? e.w : e.w.toFixed(3)}` : '';
    return `It turns to ${node.n === 0 ? 'the problem' : what}${visits}${value}${weight}.`;
  }
  if (e.k === '$') {
    return e.r === 'v' ? `The verifier has answered: it read ${many(e.f, 'token')}.`
      : `The policy has answered: it sampled ${many(e.m, 'token')}.`;
  }
  if (e.k === 'i') return 'It says: ' + e.t;
  if (e.k === '=') return `The strategy has returned. The answer is ${RULES[e.r] ?? 'the one by rule ' + e.r}.`;
  if (e.k === '@') return `The answer ${e.w} is ${e.c === true ? 'right' : e.c === false ? 'wrong' : 'not graded'}.`;
  return 'The search has ended.';
}

// 1234567 -> "1.23 M"; FLOPs and the like.
function human(value, unit) {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  let i = 0;
  while (value >= 1000 && i < prefixes.length - 1) { value /= 1000; i += 1; }
  const digits = i === 0 ? String(Math.round(value)) : value.toPrecision(3);
  return `${digits} ${prefixes[i]}${unit}`.trim();
}
