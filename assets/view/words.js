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

// In the reader's language where the page knows one (`words/speak.js`); a saved replay is in English.
const inWords = typeof tr === 'function' ? tr
  : (english, values) => english.replace(/\{(\w+)\}/g, (all, name) => values?.[name] ?? all);
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
  if (node.n === 0) return ['the problem: ' + (state.start ? state.start.p : ''), ...factWords(node)].join(', ');
  const none = node.failed ? 'no score, the verifier failed' : 'no score';
  const score = node.score === null ? none : 'score ' + scoreText(node.score);
  const subtree = subtreeOf(state, node);
  const facts = [fateWords(state, node), ...(subtree ? [`subtree ${subtree}`] : []), ...factWords(node)];
  return `step ${node.depth}, ${node.text || 'empty'}, ${score}, ${facts.join(', ')}`;
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
  said.push(...tally(ours));
  if (scored.length) said.push('best score ' + scoreText(Math.max(...scored.map((node) => node.score))));
  return `Iteration ${state.iteration}: ${said.join(', ')}.`;
}

// How many of an iteration's nodes were revised, looked ahead from, judged in words, given feedback.
function tally(ours) {
  const said = [];
  const count = (test) => ours.filter(test).length;
  const revisions = count((node) => node.revises);
  const ahead = count((node) => node.ahead);
  const verdicts = ours.reduce((sum, node) => sum + (node.verdicts ? node.verdicts[1] : 0), 0);
  const told = count((node) => node.feedback.length);
  const accepted = count((node) => node.feedback.some((given) => given.accepted === true));
  if (revisions) said.push(many(revisions, 'attempt revised', 'attempts revised'));
  if (ahead) said.push(`looked ahead from ${ahead}`);
  if (verdicts) said.push(many(verdicts, 'written verdict'));
  if (told) said.push(`feedback on ${told}, ${accepted || 'none'} accepted`);
  return said;
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

// 1234567 -> "1.23 M"; FLOPs and the like.
function human(value, unit) {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  let i = 0;
  while (value >= 1000 && i < prefixes.length - 1) { value /= 1000; i += 1; }
  const digits = i === 0 ? String(Math.round(value)) : value.toPrecision(3);
  return `${digits} ${prefixes[i]}${unit}`.trim();
}
